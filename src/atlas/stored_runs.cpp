#include "atlas/stored_runs.hpp"

#include <algorithm>
#include <utility>

namespace nw::atlas {
namespace {

constexpr std::uint32_t kRowsPerPage = 500;

void take(StoredRuns& found, const Rows& rows, std::size_t max)
{
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (auto run = topology::run_of(rows, i)) found.runs.push_back(*std::move(run));
        else ++found.corrupt;
    }
    auto& runs = found.runs;
    std::size_t hops = 0, kept = 0;
    while (kept < std::min(runs.size(), max)) {
        hops += runs[runs.size() - 1 - kept].hops.size();
        if (hops > kHopsReadMax && kept > 0) break;
        ++kept;
    }
    found.truncated = found.truncated || kept < runs.size();
    runs.erase(runs.begin(), runs.end() - std::ptrdiff_t(kept));
}

}  // namespace

Task<Result<StoredRuns>> read_runs(store::Telemetry& telemetry, Pool& pool, ProbeId probe, const Kind& kind,
                                   store::TimeRange range, std::size_t max)
{
    StoredRuns found;
    store::SamplesQuery query{.probe = probe, .kind = &kind, .range = range, .limit = kRowsPerPage};
    do {
        NW_CO_TRY(auto page, co_await telemetry.samples(query));
        found = co_await run_on(pool, [&] {
            take(found, page.rows.rows, max);
            return std::move(found);
        });
        query.cursor = std::move(page.next);
    } while (!query.cursor.empty());
    co_return std::move(found);
}

Task<Result<std::uint64_t>> each_run(store::Telemetry& telemetry, Pool& pool, ProbeId probe, const Kind& kind,
                                     store::TimeRange range, std::function<void(const topology::Run&)> use)
{
    std::uint64_t corrupt = 0;
    store::SamplesQuery query{.probe = probe, .kind = &kind, .range = range, .limit = kRowsPerPage};
    do {
        NW_CO_TRY(auto page, co_await telemetry.samples(query));
        corrupt += co_await run_on(pool, [&] {
            std::uint64_t unreadable = 0;
            for (std::size_t i = 0; i < page.rows.size(); ++i) {
                if (const auto run = topology::run_of(page.rows.rows, i)) use(*run);
                else ++unreadable;
            }
            return unreadable;
        });
        query.cursor = std::move(page.next);
    } while (!query.cursor.empty());
    co_return corrupt;
}

Task<Result<std::vector<topology::Run>>> read_run_before(store::Telemetry& telemetry, Pool& pool, ProbeId probe,
                                                         const Kind& kind, std::int64_t until_us)
{
    // Back in steps that grow, because most probes have run within the last of them.
    auto until = until_us;
    for (const auto back : {store::kHourUs, 5 * store::kHourUs, 18 * store::kHourUs}) {
        const auto from = std::max<std::int64_t>(0, until - back);
        NW_CO_TRY(auto found, co_await read_runs(telemetry, pool, probe, kind, {from, until}, 50));
        auto& runs = found.runs;
        while (!runs.empty() && runs.back().hops.empty()) runs.pop_back();
        if (!runs.empty()) {
            std::vector<topology::Run> last;
            last.push_back(std::move(runs.back()));
            co_return std::move(last);
        }
        if (from == 0) break;
        until = from;
    }
    co_return std::vector<topology::Run>();
}

}  // namespace nw::atlas
