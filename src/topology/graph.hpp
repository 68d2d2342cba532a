// All paths of a workspace as one graph: agents, routers by address, silent hops, targets.
//
// Every probe contributes what its recent runs saw (a PathSet); a new contribution replaces the one before, and nothing
// else is touched: what a node or edge has to say is sums over contributions, kept as integers, so that what was added
// can be taken away exactly.
//
// - A hop that nobody answers for is one node wherever both of its neighbours agree, and is nobody's fault.
// - An edge stands where a flow passed one node right after the other (PathSet, rule 3). Where a path was not followed to
//   its target, a silent node stands between.
// - Each change has a number, the generation; changes_since() tells what a reader of an earlier generation lacks.
//
// Pure; bounded: a contribution that would make more than kNodesMax nodes is left out, and the graph says so.
#pragma once

#include "model/ids.hpp"
#include "topology/path_set.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nw::topology {

enum class NodeKind : std::uint8_t { Agent, Router, Anonymous, Target };
inline constexpr std::array<std::string_view, 4> kNodeKindNames{"agent", "router", "anonymous", "target"};
constexpr std::string_view name_of(NodeKind kind) { return kNodeKindNames[std::size_t(kind)]; }

// Packets and delays, to be added and taken away.
struct Traffic {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::int64_t forwarding_lost_ppm = 0;  // probes lost up to here for good, in millionths of a probe
    std::int64_t delay_sum_us = 0;
    std::int64_t delay_count = 0;

    void add(const Traffic& other, std::int64_t sign);
    std::optional<double> forwarding_loss_ratio() const;
    std::int64_t forwarding_lost() const;  // whole probes
    std::optional<double> delay_mean_us() const;
    friend bool operator==(const Traffic&, const Traffic&) = default;
};

// Missing answers by what they were put down to, limits of limiters, label stacks.
struct Behaviour {
    std::array<std::int64_t, kHopVerdictNames.size()> missing{};
    std::int64_t limit_sum_m = 0;  // thousandths of an answer per second
    std::int64_t limits = 0;
    std::int64_t labelled = 0;

    void add(const Behaviour& other, std::int64_t sign);
    HopVerdict verdict() const;
    std::optional<double> limit_per_second() const;
    friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

struct Node {
    std::string id{};
    NodeKind kind = NodeKind::Router;
    std::string address{};  // 4 or 16 bytes; empty for agents and silent hops
    std::string name{};     // of a router by reverse DNS: anything; of a target what its probe is asked to measure
    std::optional<AgentId> agent{};
    std::optional<std::uint32_t> asn{};  // not looked up yet
    Traffic traffic{};
    Behaviour behaviour{};
    std::uint32_t paths = 0;
    std::vector<std::pair<std::uint8_t, std::uint32_t>> distances{};  // ascending: how many contributions see it there
    std::int64_t seen_us = 0;
    std::int64_t out_ppm = 0;  // shares of all edges from here

    std::uint32_t rank() const;  // median distance from the agents
};

struct Edge {
    std::string id{};
    std::uint32_t source = 0;  // indices of nodes
    std::uint32_t target = 0;
    std::uint32_t paths = 0;
    std::int64_t share_ppm = 0;
    Traffic near{};  // at the source and at the target, of the paths that pass here
    Traffic far{};

    std::optional<double> delay_us() const;
    // What is lost between the two ends.
    std::optional<double> loss_ratio() const;
};

struct ProbePath {
    std::vector<std::uint32_t> nodes{};
    double share = 0;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    Delay delay{};
    std::int64_t seen_us = 0;
};

struct ProbeEnds {
    AgentId agent{};
    std::string target_name{};
    std::string protocol{};
};

struct Change {
    std::vector<std::uint32_t> nodes{};
    std::vector<std::uint32_t> edges{};
    std::vector<ProbeId> probes{};  // whose paths are other ones now, or are gone
    std::vector<std::string> nodes_gone{};
    std::vector<std::string> edges_gone{};
};

class Graph {
public:
    static constexpr std::size_t kNodesMax = 20'000;

    void replace(ProbeId probe, const ProbeEnds& ends, const PathSet& set);
    void remove(ProbeId probe);

    std::uint64_t generation() const { return generation_; }
    // Contributions were left out.
    bool truncated() const { return refused_ > 0; }
    std::size_t node_count() const { return node_ids_.size(); }
    std::size_t edge_count() const { return edge_ids_.size(); }
    std::size_t probe_count() const { return probes_.size(); }
    bool contains(ProbeId probe) const { return probes_.contains(probe); }

    // Null for an index that is not in use.
    const Node* node(std::uint32_t index) const;
    const Edge* edge(std::uint32_t index) const;
    const Node* find_node(std::string_view id) const;
    // By the ids of its ends.
    const Edge* find_edge(std::string_view source, std::string_view target) const;
    std::vector<std::uint32_t> nodes() const;  // ascending by id
    std::vector<std::uint32_t> edges() const;
    std::vector<ProbeId> probes() const;
    std::span<const ProbePath> paths_of(ProbeId probe) const;
    const ProbeEnds* ends_of(ProbeId probe) const;
    // Nothing when that is too long ago, or never was.
    std::optional<Change> changes_since(std::uint64_t generation) const;

private:
    struct NodePart {
        std::uint32_t node = 0;
        std::uint8_t distance = 0;
        std::uint32_t paths = 0;
        Traffic traffic{};
        Behaviour behaviour{};
    };
    struct EdgePart {
        std::uint32_t edge = 0;
        std::uint32_t paths = 0;
        std::int64_t share_ppm = 0;
        Traffic near{};
        Traffic far{};
    };
    struct Contribution {
        ProbeEnds ends{};
        std::vector<NodePart> nodes{};
        std::vector<EdgePart> edges{};
        std::vector<ProbePath> paths{};
        std::uint64_t changed = 0;
        bool refused = false;
    };
    struct NodeSlot {
        Node node{};
        std::uint32_t uses = 0;  // parts of contributions
        std::uint64_t changed = 0;
        std::uint64_t out_changed = 0;
    };
    struct EdgeSlot {
        Edge edge{};
        std::uint32_t uses = 0;
        std::uint64_t changed = 0;
    };
    enum class What : std::uint8_t { Node, Edge, Probe };
    struct Gone {
        std::uint64_t generation = 0;
        What what = What::Node;
        std::string id{};
        ProbeId probe{};
    };
    friend class Contributor;

    std::uint32_t node_slot(const std::string& id, NodeKind kind);
    std::uint32_t edge_slot(std::uint32_t source, std::uint32_t target);
    void apply(const Contribution& parts, std::int64_t sign);
    void apply(const NodePart& part, std::int64_t sign);
    void apply(const EdgePart& part, std::int64_t sign);
    void drop_unused(const Contribution& parts);
    void note_gone(What what, std::string id, ProbeId probe);

    std::vector<NodeSlot> nodes_{};
    std::vector<EdgeSlot> edges_{};
    std::vector<std::uint32_t> free_nodes_{};
    std::vector<std::uint32_t> free_edges_{};
    std::unordered_map<std::string, std::uint32_t> node_ids_{};
    std::unordered_map<std::uint64_t, std::uint32_t> edge_ids_{};  // by both ends
    std::map<ProbeId, Contribution> probes_{};
    std::deque<Gone> gone_{};
    std::uint64_t generation_ = 0;
    std::uint64_t forgotten_ = 0;  // what went up to this generation is no longer known
    std::size_t refused_ = 0;
};

}  // namespace nw::topology
