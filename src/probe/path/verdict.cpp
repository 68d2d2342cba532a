#include "probe/path/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace nw::probe::path {
namespace {

// The chance that a packet is lost, or an answer comes against a limiter's rules, where the explanation has no room
// for it. Small: one packet in 300 that is lost at a hop and at those behind it is loss.
constexpr double kStrayLoss = 1e-6;
constexpr double kStrayBucket = 0.01;
constexpr double kPriorNone = 0.5, kPriorForwarding = 0.3, kPriorLimited = 0.2;
// What is known of the loss behind a hop before anything is seen of it: most paths lose nothing.
constexpr double kPriorLosses = 0.05;
// Of limiters, those whose bucket others empty too, so that it has no beat.
constexpr double kShared = 0.1;
constexpr int kGrid = 64;
// Of fewer, nothing can be said about a limiter's beat.
constexpr std::size_t kLossesMin = 3, kRecoveriesMin = 3;
// Of all rates and losses that are tried roughly, as many are looked at closely.
constexpr std::size_t kCandidates = 12;

struct Counts {
    double sent = 0;
    double lost = 0;
    double ratio() const { return sent == 0 ? 0 : lost / sent; }
};

Counts count(std::span<const Observation> probes)
{
    return {double(probes.size()), double(std::ranges::count(probes, false, &Observation::answered))};
}

double log_add(double a, double b)
{
    const auto high = std::max(a, b);
    return std::isinf(high) ? high : high + std::log(std::exp(a - high) + std::exp(b - high));
}

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// Of one sequence with `lost` losses when each is lost with the chance p.
double log_chance(Counts seen, double p)
{
    p = std::clamp(p, kStrayLoss, 1 - kStrayLoss);
    return seen.lost * std::log(p) + (seen.sent - seen.lost) * std::log1p(-p);
}

// The same with p unknown, evenly likely within [low, high].
double log_chance_between(Counts seen, double low, double high)
{
    double sum = -INFINITY;
    for (int i = 0; i < kGrid; ++i) sum = log_add(sum, log_chance(seen, low + (high - low) * (i + 0.5) / kGrid));
    return sum - std::log(kGrid);
}

// No more is lost here than behind: as much, or anything below that.
double log_forwarding(Counts seen, const std::optional<Counts>& behind)
{
    if (!behind) return log_chance_between(seen, 0, 1);
    const auto a = behind->lost + kPriorLosses;
    const auto b = behind->sent - behind->lost + 1;
    const auto as_much = log_beta(a + seen.lost, b + seen.sent - seen.lost) - log_beta(a, b);
    if (behind->lost == 0) return as_much;
    return log_add(as_much, log_chance_between(seen, 0, behind->ratio())) - std::log(2);
}

struct Bucket {
    double per_second = 0;
    double depth = 1;
};

double seconds(Nanos time) { return double(time.count()) * 1e-9; }

// How many tokens a bucket filled at this rate must hold for the answers that were seen (as in the conformance test of
// ITU-T I.371).
double depth_needed(std::span<const Observation> probes, double per_second)
{
    double owed = 0, most = 1;
    auto before = probes.front().at;
    for (const auto& probe : probes) {
        owed = std::max(0.0, owed - per_second * seconds(probe.at - before));
        before = probe.at;
        if (probe.answered) most = std::max(most, ++owed);
    }
    return most;
}

// Follows a token bucket through the probes: how well it says beforehand which of them are answered. How full it is
// cannot be known exactly: of a probe that was lost although there was a token, one cannot tell whether it was lost
// before the bucket or took the token and was lost behind it. So a few fillings are followed, each with its weight.
class BucketFilter {
public:
    BucketFilter(Bucket bucket, double loss)
        : bucket_(bucket), pass_(1 - std::clamp(loss, 0.002, 0.95)),
          // Probes do not reach the router with the spacing they were sent with: a few milliseconds either way.
          blur_(std::clamp(bucket.per_second * 0.003, 0.02, 0.3)), fillings_{{bucket.depth, 1}}
    {}

    // Given up, with minus infinity, as soon as it falls below `enough`: it can only become less.
    double log_likelihood(std::span<const Observation> probes, double enough)
    {
        double sum = 0;
        auto before = probes.front().at;
        for (const auto& probe : probes) {
            const auto filled = bucket_.per_second * seconds(probe.at - before);
            before = probe.at;
            next_.clear();
            for (const auto& filling : fillings_) step(filling, filled, probe.answered);
            sum += normalise();
            if (sum < enough) return -INFINITY;
        }
        return sum;
    }

private:
    struct Filling {
        double tokens = 0;
        double weight = 0;
    };
    static constexpr std::size_t kFillingsMax = 12;

    void step(const Filling& filling, double filled, bool answered)
    {
        const auto tokens = std::min(bucket_.depth, filling.tokens + filled);
        const auto has = std::clamp((tokens - 1 + blur_) / (2 * blur_), 0.0, 1.0);
        if (answered) {
            add(std::max(0.0, tokens - 1), filling.weight * std::max(pass_ * has, kStrayBucket));
            return;
        }
        add(tokens, filling.weight * ((1 - has) + has * (1 - pass_) / 2));
        add(std::max(0.0, tokens - 1), filling.weight * has * (1 - pass_) / 2);
    }

    void add(double tokens, double weight)
    {
        if (weight <= 0) return;
        for (auto& known : next_) {
            if (std::abs(known.tokens - tokens) > 0.02) continue;
            known.weight += weight;
            return;
        }
        next_.push_back({tokens, weight});
    }

    // What the present probe contributes; the weights sum up to one again.
    double normalise()
    {
        double sum = 0;
        for (const auto& filling : next_) sum += filling.weight;
        if (next_.size() > kFillingsMax) {
            std::ranges::nth_element(next_, next_.begin() + kFillingsMax, std::greater{}, &Filling::weight);
            next_.resize(kFillingsMax);
        }
        for (auto& filling : next_) filling.weight /= sum;
        std::swap(fillings_, next_);
        return std::log(sum);
    }

    Bucket bucket_;
    double pass_;
    double blur_;
    std::vector<Filling> fillings_;
    std::vector<Filling> next_{};
};

// How often an answer follows a loss. A bucket that has run empty goes on answering; what stops for good is broken.
std::size_t recoveries(std::span<const Observation> probes)
{
    std::size_t found = 0;
    for (std::size_t i = 1; i < probes.size(); ++i) found += probes[i].answered && !probes[i - 1].answered;
    return found;
}

struct BucketFit {
    double log_likelihood = -INFINITY;
    double per_second = 0;
};

// How many tokens there will have been on average, instead of which fillings are possible: nearly as good as BucketFilter
// at telling rates from each other, and fifty times as fast.
double rough_log_likelihood(std::span<const Observation> probes, Bucket bucket, double loss)
{
    const auto pass = 1 - std::clamp(loss, 0.002, 0.95);
    const auto blur = std::clamp(bucket.per_second * 0.003, 0.02, 0.3);
    double sum = 0, product = 1, tokens = bucket.depth;
    auto before = probes.front().at;
    for (const auto& probe : probes) {
        tokens = std::min(bucket.depth, tokens + bucket.per_second * seconds(probe.at - before));
        before = probe.at;
        const auto has = std::clamp((tokens - 1 + blur) / (2 * blur), 0.0, 1.0);
        if (probe.answered) {
            product *= std::max(pass * has, kStrayBucket);
            tokens = std::max(0.0, tokens - 1);
        } else {
            const auto chance = (1 - has) + has * (1 - pass);
            product *= chance;
            tokens = std::max(0.0, tokens - has * (1 - pass) / chance / 2);
        }
        if (product > 1e-200) continue;
        sum += std::log(product);
        product = 1;
    }
    return sum + std::log(product);
}

struct Candidate {
    double rough = 0;
    double per_second = 0;
    double loss = 0;
};

// Those worth a closer look, the best first.
std::vector<Candidate> candidates(std::span<const Observation> probes, double usual, std::span<const double> losses)
{
    std::vector<Candidate> all;
    const auto consider = [&](double per_second) {
        const Bucket bucket{per_second, depth_needed(probes, per_second)};
        for (const auto loss : losses) all.push_back({rough_log_likelihood(probes, bucket, loss), per_second, loss});
    };
    for (double factor = 0.2; factor < 1.7; factor *= 1.03) consider(usual * factor);
    const auto kept = std::min(kCandidates, all.size());
    std::ranges::partial_sort(all, all.begin() + std::ptrdiff_t(kept), std::ranges::greater{}, &Candidate::rough);
    all.resize(kept);
    return all;
}

// `losses`: what may be lost beside what the bucket refuses.
// Thorough: every candidate is looked at closely, to find the rate.
BucketFit fit_bucket(std::span<const Observation> probes, std::span<const double> losses, bool thorough)
{
    const auto seen = count(probes);
    const auto lasted = seconds(probes.back().at - probes.front().at);
    if (seen.lost < double(kLossesMin) || recoveries(probes) < kRecoveriesMin || lasted <= 0) return {};
    BucketFit best;
    double loss_of_best = 0;
    const auto consider = [&](double per_second, double loss) {
        BucketFilter filter({per_second, depth_needed(probes, per_second)}, loss);
        const auto value = filter.log_likelihood(probes, best.log_likelihood);
        if (value <= best.log_likelihood) return;
        best = {value, per_second};
        loss_of_best = loss;
    };
    const auto answered = std::max(seen.sent - seen.lost, 1.0);
    // First what came through: of rates that explain it equally well, that is the one to report.
    for (const auto loss : losses) consider(answered / lasted, loss);
    if (thorough) {
        for (const auto loss : losses)
            for (double factor = 0.2; factor < 1.7; factor *= 1.03) consider(answered / lasted * factor, loss);
    } else {
        for (const auto& candidate : candidates(probes, answered / lasted, losses))
            consider(candidate.per_second, candidate.loss);
    }
    const auto middle = best.per_second;
    for (double step = -6; step <= 6; step += 1) consider(middle * (1 + step * 0.005), loss_of_best);
    // The rate, the depth and the loss were fitted, from a choice of rates that is wide.
    best.log_likelihood -= 2.5 * std::log(seen.sent);
    return best;
}

BucketFit fit_bucket(std::span<const Observation> probes, const std::optional<Counts>& behind, bool thorough)
{
    if (!behind) return fit_bucket(probes, std::array{0.002, 0.05, 0.15, 0.3, 0.5}, thorough);
    if (behind->lost == 0) return fit_bucket(probes, std::array{0.002}, thorough);
    return fit_bucket(probes, std::array{0.002, behind->ratio() / 2, behind->ratio()}, thorough);
}

// `behind`: of the hops further on that do not limit.
Judgement judge_answering(const HopEvidence& hop, const std::optional<Counts>& behind)
{
    const auto seen = count(hop.probes);
    if (seen.sent == 0) return {};
    const auto none = std::log(kPriorNone) + log_chance(seen, 0);
    if (seen.lost == 0) {
        const auto forwarding = std::log(kPriorForwarding) + log_forwarding(seen, behind);
        return {.verdict = HopVerdict::None, .confidence = std::exp(none - log_add(none, forwarding))};
    }
    const auto forwarding = std::log(kPriorForwarding) + log_forwarding(seen, behind);
    const auto fit = fit_bucket(hop.probes, behind, false);
    auto limited = fit.log_likelihood;
    // More is lost than behind, but not in a bucket's beat: others use it up too. With nothing behind, that cannot be
    // told from loss.
    if (behind) limited = log_add(limited, log_chance_between(seen, behind->ratio(), 1) + std::log(kShared));
    limited += std::log(kPriorLimited);
    const auto all = log_add(none, log_add(forwarding, limited));
    if (limited > forwarding && limited > none) {
        Judgement verdict{.verdict = HopVerdict::RateLimited, .confidence = std::exp(limited - all)};
        if (fit.per_second > 0) verdict.limit_per_second = fit_bucket(hop.probes, behind, true).per_second;
        return verdict;
    }
    if (none > forwarding) return {.verdict = HopVerdict::None, .confidence = std::exp(none - all)};
    return {
        .verdict = HopVerdict::Forwarding, .confidence = std::exp(forwarding - all), .forwarding_loss_ratio = seen.ratio()};
}

Judgement judge_mute(const HopEvidence& hop, HopVerdict verdict, double loss)
{
    // Against it: all of its probes were lost by chance.
    const auto chance = std::pow(std::max(loss, 0.05), double(hop.probes.size()));
    return {
        .verdict = verdict, .confidence = 1 - chance, .forwarding_loss_ratio = verdict == HopVerdict::Filtered ? 1.0 : 0.0};
}

}  // namespace

std::vector<Judgement> judge(std::span<const HopEvidence> hops, bool reached)
{
    std::vector<Judgement> verdicts(hops.size());
    std::size_t answering = hops.size();
    while (answering > 0 && !hops[answering - 1].ever_answered) --answering;
    std::optional<Counts> behind;
    for (auto i = answering; i-- > 0;) {
        const auto& hop = hops[i];
        if (!hop.ever_answered) {
            verdicts[i] = judge_mute(hop, HopVerdict::Silent, behind ? behind->ratio() : 0);
            continue;
        }
        verdicts[i] = judge_answering(hop, behind);
        if (verdicts[i].verdict == HopVerdict::RateLimited || hop.probes.empty()) continue;
        const auto seen = count(hop.probes);
        // What is lost before a hop that loses nothing cannot go on to the end.
        if (verdicts[i].verdict == HopVerdict::None || !behind) behind = seen;
        else behind = Counts{behind->sent + seen.sent, behind->lost + seen.lost};
    }
    // Hops that do not answer, or not always, lose what the answering one before them does.
    double loss = 0;
    for (std::size_t i = 0; i < answering; ++i) {
        if (verdicts[i].verdict == HopVerdict::RateLimited || verdicts[i].verdict == HopVerdict::Silent)
            verdicts[i].forwarding_loss_ratio = loss;
        else loss = verdicts[i].forwarding_loss_ratio;
    }
    const auto beyond = reached ? HopVerdict::Silent : HopVerdict::Filtered;
    for (auto i = answering; i < hops.size(); ++i) verdicts[i] = judge_mute(hops[i], beyond, loss);
    return verdicts;
}

}  // namespace nw::probe::path
