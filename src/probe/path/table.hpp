// What a trace has found out so far: per hop and responder the answers, delays and verdict. Values and arithmetic only.
//
// 1. A lost probe belongs to the responder that its flow has at that hop: the one that answered the flow last.
// 2. Delay variation is between consecutive answers to one flow at one hop (RFC 3393).
// 3. Probes beyond the last hop of their flow do not count.
// 4. Verdicts are found from the last probes only (evidence.hpp).
//
// Everything is kept per flow, that is per path: rows() adds up those of all flows, or gives those of one.
#pragma once

#include "probe/path/evidence.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace nw::probe::path {

inline constexpr std::size_t kRecentMax = 24;      // that recent() can give, per flow and hop
inline constexpr std::size_t kRespondersMax = 16;  // per flow and hop; answers of more count for the last one

struct DelayStats {
    std::uint64_t count = 0;
    Nanos last{}, best{}, worst{};
    Moment last_at{};
    double sum_us = 0, sum_squares_us2 = 0;
    double variation_us = 0;
    std::uint64_t variations = 0;

    void add(Moment at, Nanos rtt, std::optional<Nanos> before);
    void merge(const DelayStats& other);
    double mean_us() const { return count == 0 ? 0 : sum_us / double(count); }
    double deviation_us() const;
    double jitter_us() const { return variations == 0 ? 0 : variation_us / double(variations); }
};

struct HopRow {
    std::uint8_t ttl = 0;
    std::optional<packet::Address> address{};  // none: nobody has answered there
    bool last = false;                         // the destination, or whoever says that it goes no further
    Answer answer = Answer::Exceeded;
    std::uint8_t type = 0, code = 0;
    std::uint64_t sent = 0, answered = 0, unsent = 0;
    DelayStats delay{};
    std::uint32_t flows = 0;  // that pass here now
    bool per_packet = false;  // one flow was answered by several: balanced packet by packet, or the route changes
    std::uint32_t mtu = 0;    // of the link behind, where the router says so
    std::optional<std::uint8_t> reply_ttl{};
    Alterations altered{};
    bool quoted = false;
    std::vector<packet::MplsLabel> mpls{};
    std::vector<packet::InterfaceInfo> interfaces{};
    Judgement verdict{};

    std::uint64_t lost() const { return sent - answered; }
    double loss_ratio() const { return sent == 0 ? 0 : double(lost()) / double(sent); }
};

class Table {
public:
    void add(const Settled& probe);
    // By hop, and within a hop by address, of all flows or of one. `frontier`: probes sent from then on are left out
    // of the verdicts, because of some of them it is not known yet what became of them.
    std::vector<HopRow> rows(Moment frontier = Moment::max()) const;
    std::vector<HopRow> rows_of(std::uint16_t flow, Moment frontier = Moment::max()) const;
    std::vector<std::uint16_t> flows() const { return evidence_.flows(); }
    // Whether the destination has answered every flow.
    bool reached() const { return evidence_.reached(); }
    // The last probes to a hop in the order of sending, all flows together: the delay, or nothing when it was lost.
    std::vector<std::optional<Nanos>> recent(std::uint8_t ttl, std::size_t count) const;
    // Forgets flows that are not among `kept`.
    void keep_only(std::span<const std::uint16_t> kept);

private:
    struct Seen {
        Moment at{};
        std::optional<Nanos> rtt{};
    };
    struct FlowHop {
        std::vector<HopRow> rows{};  // by responder; the first one may have none
        std::size_t current = 0;     // who answered last
        std::optional<Nanos> rtt_before{};
        std::deque<Seen> seen{};
    };
    using Flow = std::vector<FlowHop>;  // by TTL - 1
    using FlowSet = std::vector<std::uint16_t>;

    static HopRow& row_of(FlowHop& hop, const Settled& probe);
    static void take_answer(FlowHop& hop, const Settled& probe);
    std::vector<HopRow> rows_of(const FlowSet& flows, Moment frontier) const;

    Evidence evidence_{};
    std::map<std::uint16_t, Flow> flows_{};
};

}  // namespace nw::probe::path
