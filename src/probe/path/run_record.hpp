// One run of a trace, put together probe by probe, and what it adds up to: the columns and the hop rows of the kind
// `path`. Values and arithmetic only.
//
// 1. The destination was asked once per flow and cycle, and has answered when its answer came at the distance at which
//    it stands: probes that went beyond it do not make up for one that was lost. While nobody knows how far it is, a
//    cycle counts as one question that was not answered.
// 2. A lost probe belongs to whoever answered the flow at that hop before it in this run, or first after it.
// 3. Delay variation is between consecutive probes of a flow that both came back, from the same responder (RFC 3393).
// 4. Probes that could not be sent, or whose answers this agent may have lost, do not count.
#pragma once

#include "model/path_run.hpp"
#include "probe/path/core.hpp"
#include "probe/path/verdict.hpp"
#include "probe/round_trips.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace nw::probe::path {

using Verdicts = std::map<std::uint16_t, std::vector<Judgement>>;  // by flow, by TTL - 1

// What the run says of the destination, all flows together.
struct RunTotals {
    RoundTrips trips{};
    std::optional<std::uint8_t> hops{};
    ClockSource clock = ClockSource::None;
};

// How a run ended: what the delay variation of the next one goes on from.
struct RunTail {
    std::uint64_t number = 0;
    std::vector<std::pair<std::uint16_t, Nanos>> rtt{};  // by flow, of the last cycle where it was answered
};

class RunRecord {
public:
    // `flows` in the order of their paths.
    RunRecord(std::uint64_t number, std::span<const std::uint16_t> flows, std::uint32_t cycles);

    std::uint64_t number() const { return number_; }
    std::size_t paths() const { return flows_.size(); }
    void add(const Settled& probe);
    void follow(const RunTail& before);
    RunTail tail() const;
    // How far it has come.
    std::uint32_t cycles_seen() const { return cycles_seen_; }
    // In bytes.
    std::size_t memory() const;

    RunTotals totals() const;
    // Ascending by path and TTL. Of hops behind the last one that answers, one row without an answer says it all.
    std::vector<PathHop> hops(const Verdicts& verdicts) const;

private:
    static constexpr std::size_t kRespondersMax = 16;

    enum class Fate : std::uint8_t { NotAsked, Unsent, Lost, Answered };
    struct Asked {
        std::uint32_t rtt_100ns = 0;
        Fate fate = Fate::NotAsked;
        std::uint8_t who = 0;  // of the hop's responders
        bool kernel = false;

        Nanos rtt() const { return Nanos(std::int64_t{rtt_100ns} * 100); }
    };
    struct Hop {
        std::vector<Asked> cycles{};
        std::vector<Reply> responders{};  // the last reply of each
    };
    struct Flow {
        std::uint16_t id = 0;
        std::vector<Hop> hops{};  // by TTL - 1
        std::optional<Nanos> rtt_before{};
    };
    // The destination in one cycle of a flow.
    struct Arrival {
        std::uint8_t ttl = 0;  // 0: did not answer
        bool asked = false;
        bool unreachable = false;
        Asked probe{};
    };

    // The nearest hop at which the destination answered, and the cycles from the first to the last time that it did; all
    // cycles when nobody else has ever answered there.
    struct Standing {
        std::size_t hop = ~std::size_t{0};
        std::size_t first = 0, last = 0;
    };

    std::vector<Arrival> arrivals(const Flow& flow) const;
    static Arrival arrival(const Flow& flow, std::uint32_t cycle, const Standing& standing);
    static Standing standing_of(const Flow& flow);
    std::size_t length_of(const Flow& flow) const;
    static std::vector<PathHop> rows_of(const Hop& hop);

    std::uint64_t number_;
    std::uint32_t cycles_;
    std::uint32_t cycles_seen_ = 0;
    std::vector<Flow> flows_{};
};

// The largest packet that each hop of the first path is reached by in one piece. Behind a narrow link that cannot be
// placed, because its router answers the search from another address, only the destination has a value.
void place_mtu(const MtuFound& found, std::vector<PathHop>& hops);

// The values of the columns that follow from `totals` and `hops`.
void fill_columns(const RunTotals& totals, const std::vector<PathHop>& hops, std::size_t paths, Sample& sample);

}  // namespace nw::probe::path
