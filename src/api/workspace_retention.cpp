#include "api/workspace_retention.hpp"

#include "api/services.hpp"
#include "api/workspace_settings.hpp"

#include <chrono>
#include <vector>

namespace nw::api {
namespace {

store::Retention kept_for(const RetentionDays& days)
{
    return {.raw = std::chrono::days(days.raw),
            .five_minutes = std::chrono::days(days.five_minute),
            .hour = std::chrono::days(days.hour)};
}

// Route changes are kept as long as the roll-ups of five minutes: the samples they were seen in are gone before.
Status forget_path_changes(store::MetadataTx& tx, const store::Workspace& workspace, const RetentionDays& keep, WallTime now)
{
    return tx.path_changes(workspace.id).forget_before(to_us(now - std::chrono::days(keep.five_minute)));
}

}  // namespace

Task<Status> apply_retention(Services& services)
{
    const auto instance = in_days(services.instance.retention);
    const auto now = services.clock.wall();
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto workspaces, tx.workspaces().all());
        for (const auto& workspace : workspaces)
            NW_CHECK(forget_path_changes(tx, workspace, effective(settings_of(workspace), instance), now));
        return {};
    }));
    auto read = co_await services.metadata.read([&](store::MetadataTx& tx) -> Result<std::vector<store::ShorterRetention>> {
        std::vector<store::ShorterRetention> shorter;
        NW_TRY(const auto workspaces, tx.workspaces().all());
        for (const auto& workspace : workspaces) {
            const auto keep = effective(settings_of(workspace), instance);
            if (keep == instance) continue;
            NW_TRY(const auto probes, tx.probes(workspace.id).all());
            auto& group = shorter.emplace_back(store::ShorterRetention{.keep = kept_for(keep)});
            for (const auto& probe : probes) group.probes.push_back(probe.id);
        }
        return shorter;
    });
    NW_CO_TRY(auto shorter, std::move(read));
    co_return co_await services.telemetry.set_retention(services.instance.retention, std::move(shorter));
}

}  // namespace nw::api
