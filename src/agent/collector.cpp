#include "agent/collector.hpp"

#include "wire/batch.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace nw::agent {
namespace {

constexpr Millis kGather{200};

spool::Spool::Content to_content(std::span<const Sample> samples)
{
    wire::Batch batch{.first_seq = 0, .count = std::uint32_t(samples.size())};
    spool::Spool::Content content{
        .count = batch.count, .from_us = to_us(samples.front().at), .until_us = to_us(samples.front().at)};
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto& sample = samples[i];
        auto rows = std::ranges::find(batch.kinds, sample.kind, &Rows::kind);
        if (rows == batch.kinds.end()) rows = batch.kinds.insert(batch.kinds.end(), make_rows(*sample.kind));
        append(*rows, i, sample);
        content.from_us = std::min(content.from_us, to_us(sample.at));
        content.until_us = std::max(content.until_us, to_us(sample.at));
    }
    content.bytes = wire::encode_batch(batch);
    return content;
}

}  // namespace

std::vector<spool::Spool::Content> to_contents(const std::vector<Sample>& samples)
{
    std::vector<spool::Spool::Content> contents;
    const std::span<const Sample> all(samples);
    for (std::size_t begin = 0; begin < all.size(); begin += kBatchSamples)
        contents.push_back(to_content(all.subspan(begin, std::min(kBatchSamples, all.size() - begin))));
    return contents;
}

Collector::Collector(Loop& loop, Pool& disk, spool::Spool& spool, const Clock& clock, Log log)
    : loop_(loop), disk_(disk), spool_(spool), clock_(clock), log_(std::move(log)), timer_(loop)
{}

void Collector::accept(Sample sample)
{
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kWaitingMax) {
        ++dropped_;
        return;
    }
    waiting_.push_back(std::move(sample));
    // The first wakes the main loop, and so does a full batch; those in between wait with it.
    if (waiting_.size() == 1 || waiting_.size() == kBatchSamples)
        asio::post(loop_, [this] {
            woken_ = true;
            timer_.cancel();
        });
}

std::vector<Sample> Collector::take(std::uint64_t& dropped)
{
    const std::lock_guard lock(mutex_);
    dropped = std::exchange(dropped_, 0);
    return std::exchange(waiting_, {});
}

Task<void> Collector::run(std::function<void()> stored)
{
    for (;;) {
        if (!woken_) {
            timer_.expires_at(Timer::time_point::max());
            co_await timer_.async_wait(nothrow);
        }
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        woken_ = false;
        timer_.expires_after(kGather);
        co_await timer_.async_wait(nothrow);  // a full batch ends the wait early
        woken_ = false;
        co_await flush();
        stored();
    }
}

Task<void> Collector::flush()
{
    std::uint64_t dropped = 0;
    const auto samples = take(dropped);
    if (samples.empty() && dropped == 0) co_return;
    for (const auto& sample : samples) last_[sample.probe] = {to_us(sample.at), sample.outcome, sample.reason};
    auto contents = to_contents(samples);
    const auto now = clock_.wall();
    std::string before;
    const auto trouble = co_await run_on(disk_, [&] {
        before = spool_.trouble();
        spool_.append(std::move(contents), now);
        if (dropped > 0) spool_.skip(dropped, "the agent could not keep up with its own results", now);
        return spool_.trouble();
    });
    if (trouble == before) co_return;
    if (trouble.empty()) log_.warn("the spool is written again");
    else log_.error("the spool cannot be written, results are held in memory: {}", trouble);
}

}  // namespace nw::agent
