#include "atlas/place_series.hpp"

#include "atlas/stored_runs.hpp"
#include "model/ip_text.hpp"
#include "store/telemetry/rules.hpp"
#include "topology/path_set.hpp"

#include <algorithm>
#include <utility>

namespace nw::atlas {
namespace {

constexpr std::size_t kPage = 2'000;  // a page costs as much as the chunks that it is taken from

// The address of a router or a target.
std::optional<std::string> address_of(std::string_view id)
{
    if (!id.starts_with('r') && !id.starts_with('t')) return std::nullopt;
    return ip_bytes(id.substr(1));
}

// What the runs of one probe say, bucket by bucket. They come in ascending order.
class Reading {
public:
    Reading(const Place& place, const PathProbe& probe, const store::Buckets& buckets, std::size_t runs_max,
            PlaceSeries& series)
        : place_(place), probe_(probe), buckets_(buckets), runs_max_(runs_max), series_(series)
    {}

    // False when its bucket has as many as it may have.
    bool take(topology::Run run)
    {
        if (!buckets_.contains(run.at_us)) return true;
        if (const auto bucket = buckets_.index(run.at_us); bucket != bucket_) {
            finish();
            bucket_ = bucket;
        }
        if (runs_.size() >= runs_max_ || hops_ + run.hops.size() > kHopsReadMax) {
            series_.sampled = true;
            return false;
        }
        hops_ += run.hops.size();
        runs_.push_back(std::move(run));
        return true;
    }
    // The bucket is done: what its runs say together is added.
    void finish()
    {
        series_.runs += runs_.size();
        if (passes()) {
            topology::Graph graph;
            graph.replace(probe_.id, probe_.ends, topology::merge(runs_));
            add(graph);
        }
        runs_.clear();
        hops_ = 0;
    }
    std::int64_t bucket_end_us() const { return buckets_.from_us + std::int64_t(bucket_ + 1) * buckets_.step_us; }

private:
    // Runs of another route need not be merged.
    bool passes() const
    {
        return std::ranges::any_of(runs_, [&](const topology::Run& run) {
            const auto is = [&](const PathHop& hop) { return hop.address == place_.address; };
            return run.address == place_.address || std::ranges::any_of(run.hops, is);
        });
    }
    void add(const topology::Graph& graph)
    {
        auto& bucket = series_.buckets[bucket_];
        const auto at = [&]() -> PlaceBucket& { return bucket ? *bucket : bucket.emplace(); };
        if (!place_.is_link()) {
            if (const auto* node = graph.find_node(place_.node)) at().far.add(node->traffic, 1);
        } else if (const auto* edge = graph.find_edge(place_.source, place_.target)) {
            at().near.add(edge->near, 1);
            at().far.add(edge->far, 1);
        }
    }

    const Place& place_;
    const PathProbe& probe_;
    const store::Buckets& buckets_;
    std::size_t runs_max_;
    PlaceSeries& series_;
    std::size_t bucket_ = 0;
    std::vector<topology::Run> runs_{};
    std::size_t hops_ = 0;
};

// Takes the runs of a page; true when the bucket of the last one wants no more.
bool take(Reading& reading, const Rows& rows)
{
    bool full = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto run = topology::run_of(rows, i);
        if (!run || run->hops.empty()) continue;  // one that cannot be read says nothing
        full = !reading.take(*std::move(run));
    }
    return full;
}

struct Share {
    std::size_t runs_max = 0;     // in a bucket
    bool skips = false;           // a bucket has more
    std::int64_t skipped_us = 0;  // of each bucket before the first of them
};

// One probe. Where its part of a bucket has nothing, the whole bucket is looked at: a sample makes no gaps.
Task<Status> read_probe(store::Telemetry& telemetry, Pool& pool, const PathProbe& probe, const store::Buckets& buckets,
                        Share share, Reading& reading)
{
    auto bucket_us = buckets.from_us;  // the bucket that is begun, and how much of it is left out
    auto skipped_us = share.skipped_us;
    store::SamplesQuery query{.probe = probe.id,
                              .kind = probe.kind,
                              .range = {bucket_us + skipped_us, buckets.until_us()},
                              .limit = std::uint32_t(share.skips ? share.runs_max + 1 : kPage)};
    while (query.range.from_us < query.range.until_us) {
        NW_CO_TRY(auto found, co_await telemetry.samples(query));
        const auto& rows = found.rows.rows;
        if (skipped_us > 0 && (rows.size() == 0 || rows.at_us[0] >= bucket_us + buckets.step_us)) {
            skipped_us = 0;
            query.range.from_us = bucket_us;
            continue;
        }
        skipped_us = 0;
        const bool full = co_await run_on(pool, [&] { return take(reading, rows); });
        query.cursor = std::move(found.next);
        if (full) {
            bucket_us = reading.bucket_end_us();
            skipped_us = share.skipped_us;
            query.range.from_us = bucket_us + skipped_us;
            query.cursor.clear();
        } else if (query.cursor.empty()) {
            break;
        }
    }
    co_await run_on(pool, [&] {
        reading.finish();
        return true;
    });
    co_return Status{};
}

std::int64_t shortest_interval_us(std::span<const PathProbe> probes)
{
    std::int64_t shortest = store::kHourUs;
    for (const auto& probe : probes)
        if (probe.interval_us > 0) shortest = std::min(shortest, probe.interval_us);
    return std::max(shortest, store::kSecondUs);
}

}  // namespace

std::optional<Place> place_of(std::string_view id)
{
    const auto arrow = id.find('>');
    if (arrow == std::string_view::npos) {
        auto address = address_of(id);
        if (!address) return std::nullopt;
        return Place{.node = std::string(id), .address = *std::move(address)};
    }
    const auto source = id.substr(0, arrow), target = id.substr(arrow + 1);
    const bool from_agent = source.starts_with('a') && parse_id<AgentId>(source.substr(1));
    auto address = address_of(target);
    if (!address || (!from_agent && !address_of(source))) return std::nullopt;
    return Place{.source = std::string(source), .target = std::string(target), .address = *std::move(address)};
}

std::vector<ProbeId> probes_through(const topology::Graph& graph, const Place& place)
{
    const auto passes = [&](const topology::ProbePath& path) {
        const auto is = [&](std::uint32_t node, std::string_view id) { return graph.node(node)->id == id; };
        for (std::size_t i = 0; i < path.nodes.size(); ++i) {
            if (!place.is_link() && is(path.nodes[i], place.node)) return true;
            if (place.is_link() && i > 0 && is(path.nodes[i - 1], place.source) && is(path.nodes[i], place.target))
                return true;
        }
        return false;
    };
    std::vector<ProbeId> through;
    for (const auto probe : graph.probes())
        if (std::ranges::any_of(graph.paths_of(probe), passes)) through.push_back(probe);
    return through;
}

bool touches(const Place& place, std::string_view address)
{
    const auto is = [&](const std::string& id) { return !id.empty() && std::string_view(id).substr(1) == address; };
    return is(place.node) || is(place.source) || is(place.target);
}

Task<Result<PlaceSeries>> read_place(store::Telemetry& telemetry, Pool& pool, const Place& place,
                                     std::span<const PathProbe> probes, store::TimeRange range, std::uint32_t buckets)
{
    const auto interval_us = shortest_interval_us(probes);
    const auto runs_each = std::size_t((range.until_us - range.from_us) / interval_us + 1);
    const auto count = std::min(probes.size(), std::clamp(kPlaceRunsMax / runs_each, kPlaceProbesMin, kPlaceProbesMax));
    std::vector<PathProbe> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(probes[i * probes.size() / count]);
    // Narrower buckets than runs come would be gaps that nobody has.
    const auto wide = store::buckets_of(range, std::min(buckets, kPlaceBucketsMax), interval_us);
    PlaceSeries series{.from_us = wide.from_us, .step_us = wide.step_us, .probes = count, .sampled = count < probes.size()};
    series.buckets.resize(wide.count);
    // A little more than an equal share, for runs that do not come evenly.
    const auto share_max = kPlaceRunsMax * 5 / 4 / std::max<std::size_t>(1, count * wide.count);
    const auto runs_max = std::clamp<std::size_t>(share_max, 1, kPlaceBucketRunsMax);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& probe = chosen[i];
        // Each reads in another part of the buckets.
        const auto unread = wide.step_us - std::int64_t(runs_max) * probe.interval_us;
        const Share share{.runs_max = runs_max,
                          .skips = unread > 0,
                          .skipped_us = std::max<std::int64_t>(0, unread) * std::int64_t(i) / std::int64_t(count)};
        series.sampled = series.sampled || share.skips;
        Reading reading(place, probe, wide, runs_max, series);
        NW_CO_CHECK(co_await read_probe(telemetry, pool, probe, wide, share, reading));
    }
    co_return series;
}

}  // namespace nw::atlas
