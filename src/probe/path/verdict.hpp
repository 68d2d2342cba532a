// What the missing answers of a hop mean. Pure: observations in, verdicts out.
//
// A router that answers little is no router that forwards little. Per hop, these explanations are compared by how well
// they predict what was seen (their likelihoods, weighed with modest priors; the confidence is the posterior):
//
// 1. none: nothing is lost.
// 2. forwarding: packets are lost up to here, no more than go on being lost up to the end.
// 3. rate_limited: the hop answers less than is forwarded through it. Either more is lost here than behind, or the
//    answers come with the beat of a token bucket: evenly, where loss would be by chance. The bucket that predicts the
//    sequence best gives the rate.
// 4. silent: it never answers, but something behind it does.
// 5. filtered: from here on nothing answers, and the destination was not reached.
//
// The hops behind count only as far as they do not limit their answers themselves, so the verdicts are found from the
// end of the path to its beginning.
#pragma once

#include "base/time.hpp"
#include "model/path_run.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nw::probe::path {

// One probe: when it was sent, counted from any fixed moment, and whether it was answered.
struct Observation {
    Nanos at{};
    bool answered = false;
};

struct HopEvidence {
    std::vector<Observation> probes{};  // in the order of sending
    bool ever_answered = false;         // also before the first of `probes`
};

struct Judgement {
    HopVerdict verdict = HopVerdict::None;
    double confidence = 0;
    double forwarding_loss_ratio = 0;          // of packets up to here and back, what the limiter hides left out
    std::optional<double> limit_per_second{};  // answers that a rate limiter lets through

    friend bool operator==(const Judgement&, const Judgement&) = default;
};

// The hops of one path, nearest first. `reached`: the last of them is the destination.
std::vector<Judgement> judge(std::span<const HopEvidence> hops, bool reached);

}  // namespace nw::probe::path
