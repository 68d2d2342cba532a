// Finds the load-balanced branches of a path: the Multipath Detection Algorithm (Augustin, Friedman, Teixeira,
// "Measuring Load-balanced Paths in the Internet", IMC 2007; Veitch et al., INFOCOM 2009). Pure: says which flow to
// probe at which hop, is told who answered.
//
// 1. To believe that a node has no more than k successors, n(k) flows through it have been probed one hop further:
//    so many that k + 1 equal successors would all have shown themselves with the confidence asked for, and with more of it
//    where the search before found more.
// 2. Which node a flow takes at a hop is known by probing it there. Flows are taken to pass a hop that has a single
//    node without that.
// 3. One flow goes first, to find out how far the destination is.
// 4. What is not answered is sent again, at most kAttempts times in all; a hop where nothing answers counts as one
//    node without an address. Flows that stay unanswered at a hop where others were answered take a silent branch when
//    a flow through each node found there is answered again, beside them, every time; otherwise they say nothing.
// 5. Links join the answers to one flow only: none is ever made up of two flows.
#pragma once

#include "packet/address.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace nw::probe::path {

// How many flows it takes to rule out, with an error of `alpha`, that there are `found` + 1 equal successors.
std::uint32_t stopping_point(std::uint32_t found, double alpha);

struct PathNode {
    std::uint8_t ttl = 0;
    std::optional<packet::Address> address{};  // none: somebody who does not answer
    bool last = false;                         // the destination, or whoever says that it goes no further
    friend auto operator<=>(const PathNode&, const PathNode&) = default;
};

// A node where paths part.
struct Branching {
    PathNode node{};
    std::uint8_t successors = 0;
};

struct ExplorerSettings {
    double alpha = 0.05;
    double alpha_fewer = 0.001;  // where fewer successors are found than in `before`: a branch that is gone is news
    std::uint8_t hops_max = 30;
    std::uint16_t flows_max = 256;
    std::uint32_t probes_max = 4000;
    std::uint16_t pinned_max = 16;
    std::vector<std::uint16_t> preferred{};  // flows that are pinned already, and stay so where they are as good as others
    std::vector<Branching> before{};         // in the search before
};

struct PathLink {
    PathNode from{};
    PathNode to{};
    friend auto operator<=>(const PathLink&, const PathLink&) = default;
};

struct Exploration {
    std::set<PathNode> nodes{};
    std::set<PathLink> links{};
    std::vector<std::uint16_t> flows{};  // a few that pass every link, as far as pinned_max allows
    std::uint32_t probes = 0;
    bool complete = false;  // the stopping rule holds everywhere; otherwise a limit came first
    bool covered = false;   // `flows` pass every link
    double alpha = 0;
};

std::vector<Branching> branchings(const Exploration& found);

class Explorer {
public:
    explicit Explorer(const ExplorerSettings& settings) : settings_(settings), hops_(settings.hops_max + 2U) {}

    struct Probe {
        std::uint16_t flow = 0;
        std::uint8_t ttl = 0;
        friend bool operator==(const Probe&, const Probe&) = default;
    };

    // What to send now; they are on their way until settled. Nothing and nothing on its way: done.
    std::vector<Probe> next();
    // `last`: nothing lies behind the responder.
    void answered(Probe probe, const packet::Address& responder, bool last);
    void unanswered(Probe probe);
    bool done() const { return finished_; }
    Exploration result() const;

private:
    enum class State : std::uint8_t { OnItsWay, Repeat, Answered, GivenUp };
    struct Entry {
        State state = State::OnItsWay;
        std::uint8_t attempts = 1;
        std::size_t node = 0;
        bool again = false;  // asked once more, to compare: `before` is what was known of it
        State before = State::OnItsWay;
    };
    struct Hop {
        std::map<std::uint16_t, Entry> flows{};
        std::vector<PathNode> nodes{};
        // Comparisons of a flow that is not answered with one through each node: how many, and what came back.
        std::uint32_t compared = 0, asked_back = 0, answering_back = 0, silent_back = 0;
        bool judged = false;
    };

    void send(std::uint16_t flow, std::uint8_t ttl, std::vector<Probe>& out);
    void scout(std::vector<Probe>& out);
    void repeat(std::vector<Probe>& out);
    static void give_up(const Hop& hop, Entry& entry, bool beyond);
    void satisfy(std::uint8_t ttl, std::vector<Probe>& out);
    double alpha_at(std::uint8_t ttl, std::size_t node, std::size_t successors) const;
    void satisfy_node(std::uint8_t ttl, std::size_t node, std::vector<Probe>& out);
    bool mute(std::uint8_t ttl) const;
    std::size_t undecided(std::uint8_t ttl) const;
    std::vector<std::uint16_t> flows_through(std::uint8_t ttl, std::size_t node) const;
    std::uint8_t reach_of(std::uint16_t flow) const;
    std::optional<PathNode> node_of(std::uint16_t flow, std::uint8_t ttl) const;
    std::optional<PathNode> presumed_node(std::uint16_t flow, std::uint8_t ttl) const;
    std::set<PathLink> links() const;
    void verify(std::vector<Probe>& out);
    void advance(std::vector<Probe>& out);
    std::optional<std::uint16_t> silent_flow(std::uint8_t ttl) const;
    void ask_again(std::uint16_t flow, std::uint8_t ttl, std::vector<Probe>& out);
    bool compare_silence(std::vector<Probe>& out);
    void add_silent_node(std::uint8_t ttl);
    std::set<PathLink> links_of(std::uint16_t flow, const std::set<PathLink>& among) const;
    void pin(Exploration& result) const;

    ExplorerSettings settings_;
    std::vector<Hop> hops_;   // by TTL; 0 is this host
    std::uint8_t reach_ = 0;  // where the nearest end was found; 0: not yet
    std::uint8_t scouted_ = 0;
    std::uint16_t flows_ = 1;
    std::uint32_t probes_ = 0;
    std::size_t on_their_way_ = 0;
    bool limited_ = false;
    bool incomplete_ = false;
    bool finished_ = false;
};

}  // namespace nw::probe::path
