// What the last probes of a trace say about its hops: who answered, when, and what the missing answers mean. Values and
// arithmetic only; small, because an agent keeps one for every trace.
//
// 1. Of each flow the last kRoundsMax rounds count: when each was sent, and two bits per hop. A round is a cycle counted
//    over all runs; its probes leave at the same time but for a few milliseconds.
// 2. Probes beyond the last hop of their flow do not count.
// 3. A router's limiter does not tell flows apart: it is looked for in all flows that pass the router taken together, at
//    whatever hop each of them meets it.
#pragma once

#include "probe/path/core.hpp"
#include "probe/path/verdict.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace nw::probe::path {

inline constexpr std::size_t kRoundsMax = 300;
// A flow whose responder changed so often is balanced packet by packet; a route that changes does so once or twice.
inline constexpr std::uint32_t kChangesOfBalancing = 4;

class Evidence {
public:
    void add(const Settled& probe);
    // Forgets flows that are not among `kept`.
    void keep_only(std::span<const std::uint16_t> kept);
    // By hop of each flow. `frontier`: probes sent from then on are left out, because of some of them it is not known
    // yet what became of them.
    std::map<std::uint16_t, std::vector<Judgement>> judge(Moment frontier = Moment::max()) const;

    // The latest round; and how many hops all flows have, which changes with the path.
    std::uint64_t newest() const;
    std::size_t hops() const;
    std::vector<std::uint16_t> flows() const;
    // The last hop of a flow; 0: not known.
    std::uint8_t reach_of(std::uint16_t flow) const;
    // Whether the destination has answered every flow.
    bool reached() const;
    bool is_balanced_per_packet(std::uint16_t flow, std::uint8_t ttl) const;
    // In bytes, all flows.
    std::size_t memory() const;

private:
    static constexpr std::size_t kWords = (kRoundsMax + 63) / 64;
    using Bits = std::array<std::uint64_t, kWords>;

    struct Hop {
        std::optional<packet::Address> current{};  // who answered last
        std::uint32_t changes = 0;
        Bits sent{};
        Bits answered{};
    };
    struct Flow {
        std::uint8_t reach = 0;  // 0: not known
        bool arrived = false;
        std::uint64_t newest = 0;           // round
        Moment newest_at{};                 // when it was sent
        std::vector<std::uint32_t> sent{};  // milliseconds since the epoch, modulo 2^32, by round modulo kRoundsMax
        std::vector<Hop> hops{};            // by TTL - 1
    };
    // Where flows meet a router: the hops of each are counted from `shift` on.
    struct Meeting {
        std::uint16_t flow = 0;
        std::uint8_t shift = 0;
        friend auto operator<=>(const Meeting&, const Meeting&) = default;
    };
    using Meetings = std::vector<Meeting>;

    bool open_round(Flow& flow, const Settled& probe);
    static void note_answer(Flow& flow, Hop& hop, const Settled& probe);
    HopEvidence collect(const Meetings& meetings, std::size_t hop, Moment frontier) const;
    std::vector<Judgement> judge(const Meetings& meetings, Moment frontier) const;
    Meetings meetings_at(std::uint16_t flow, std::size_t hop) const;

    std::map<std::uint16_t, Flow> flows_{};
};

}  // namespace nw::probe::path
