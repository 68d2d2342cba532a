// Reports of agents' networks and the history of what changed in them.
//
// 1. A report that differs from the one before in nothing but the time at which public addresses were seen replaces it;
//    any other is a row of its own, so that "as it was then" has an answer.
// 2. Of each agent the newest kReportsMax reports stay, no more than kReportBytesMax of them together, and none that ended
//    more than kHistoryDays ago; of the changes the newest kChangesMax, none older than that.
#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "base/text.hpp"
#include "sqlite/database.hpp"
#include "wire/interfaces.hpp"

#include <algorithm>

namespace nw::store {
namespace {

constexpr std::int64_t kReportsMax = 500;
constexpr std::int64_t kReportBytesMax = 4 << 20;
constexpr std::int64_t kChangesMax = 5'000;
constexpr std::int64_t kHistoryDays = 180;
constexpr std::int64_t kDayUs = 86'400'000'000;

struct Stored {
    std::int64_t id = 0;
    wire::Interfaces report{};
};

Result<std::optional<Stored>> newest(sqlite::Database& db, AgentId agent, std::int64_t at_us)
{
    sqlite::Statement select(
        db, "SELECT id, at_us, report FROM agent_network WHERE agent = ? AND at_us <= ? ORDER BY id DESC LIMIT 1");
    NW_TRY(const bool found, select.bind(1, sql_id(agent)).bind(2, at_us).step());
    if (!found) return std::nullopt;
    NW_TRY(auto report, wire::decode_interfaces(select.view(2)));
    report.at_us = select.integer(1);
    return Stored{select.integer(0), std::move(report)};
}

bool same_but_for_seen(HostNetwork a, HostNetwork b)
{
    for (auto* network : {&a, &b})
        for (auto& interface : network->interfaces)
            for (auto* address : {&interface.public_v4, &interface.public_v6}) *address = {.address = address->address};
    return a == b;
}

// An agent that has just started has not asked yet which addresses the world sees: what was known goes on being so.
void keep_public(const HostNetwork& before, HostNetwork& now)
{
    for (auto& interface : now.interfaces) {
        const auto* known = before.find(interface.name);
        if (!known) continue;
        if (interface.public_v4 == PublicAddress{}) interface.public_v4 = known->public_v4;
        if (interface.public_v6 == PublicAddress{}) interface.public_v6 = known->public_v6;
    }
}

Status insert_report(sqlite::Database& db, AgentId agent, NetworkMark mark, std::int64_t at_us, std::string_view bytes)
{
    sqlite::Statement insert(db, "INSERT INTO agent_network (agent, at_us, stream, number, report) VALUES (?, ?, ?, ?, ?)");
    return insert.bind(1, sql_id(agent))
        .bind(2, at_us)
        .bind(3, std::int64_t(mark.stream))
        .bind(4, std::int64_t(mark.number))
        .bind_blob(5, bytes)
        .run();
}

Status replace_report(sqlite::Database& db, std::int64_t row, NetworkMark mark, std::string_view bytes)
{
    sqlite::Statement update(db, "UPDATE agent_network SET stream = ?, number = ?, report = ? WHERE id = ?");
    return update.bind(1, std::int64_t(mark.stream))
        .bind(2, std::int64_t(mark.number))
        .bind_blob(3, bytes)
        .bind(4, row)
        .run();
}

Status insert_changes(sqlite::Database& db, AgentId agent, std::int64_t at_us, const std::vector<NetworkChange>& changes)
{
    // The same change told twice, as after a session that broke off, is one.
    sqlite::Statement insert(db, "INSERT OR IGNORE INTO agent_network_change (agent, at_us, kind, interface, text, before, "
                                 "after, took_us, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const auto& change : changes) {
        const auto kind = name_of(change.kind);
        NW_CHECK(insert.bind(1, sql_id(agent))
                     .bind(2, change.at_us.value_or(at_us))
                     .bind(3, kind)
                     .bind(4, change.interface)
                     .bind(5, change.text)
                     .bind(6, change.before)
                     .bind(7, change.after)
                     .bind(8, change.took_us)
                     .bind(9, change.reason)
                     .run());
    }
    return {};
}

Status trim(sqlite::Database& db, AgentId agent, std::int64_t now_us)
{
    const auto oldest = now_us - kHistoryDays * kDayUs;
    // A report counts until the next one: the newest before the limit is still of use.
    sqlite::Statement reports(
        db, "DELETE FROM agent_network WHERE agent = ?1 AND id < (SELECT max(id) FROM agent_network WHERE agent = ?1) AND "
            "id IN (SELECT id FROM (SELECT id, row_number() OVER w AS place, sum(length(report)) OVER w AS bytes, "
            "lag(at_us) OVER w AS until_us FROM agent_network WHERE agent = ?1 WINDOW w AS (ORDER BY id DESC)) "
            "WHERE place > ?2 OR bytes > ?3 OR until_us < ?4)");
    NW_CHECK(reports.bind(1, sql_id(agent)).bind(2, kReportsMax).bind(3, kReportBytesMax).bind(4, oldest).run());
    sqlite::Statement changes(
        db,
        "DELETE FROM agent_network_change WHERE agent = ?1 AND (at_us < ?2 OR id <= (SELECT id FROM agent_network_change "
        "WHERE agent = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))");
    return changes.bind(1, sql_id(agent)).bind(2, oldest).bind(3, kChangesMax).run();
}

NetworkHistoryEntry entry_from(const sqlite::Statement& row)
{
    const auto kind = std::ranges::find(kNetworkChangeNames, row.view(2));
    return {.id = row.integer(0),
            .at_us = row.integer(1),
            .change = {.kind = NetworkChangeKind(kind - kNetworkChangeNames.begin()),
                       .interface = row.text(3),
                       .text = row.text(4),
                       .before = row.text(5),
                       .after = row.text(6),
                       .at_us = std::nullopt,
                       .took_us = row.maybe_integer(7),
                       .reason = row.text(8)}};
}

}  // namespace

Status AgentSessions::record_network(AgentId id, NetworkMark mark, const wire::Interfaces& report)
{
    NW_TRY(const auto agent, find(id));
    if (!agent) return {};  // deleted for good while it was on its way
    NW_TRY(const auto before, newest(db_, id, INT64_MAX));
    // A clock that was set back must not put a report before one that it follows.
    const auto at_us = before ? std::max(report.at_us, before->report.at_us) : report.at_us;
    auto network = report.network;
    if (before) keep_public(before->report.network, network);
    const auto bytes = wire::encode_interfaces({.number = mark.number, .at_us = at_us, .network = network});
    if (before && report.failovers.empty() && same_but_for_seen(before->report.network, network))
        return replace_report(db_, before->id, mark, bytes);
    NW_CHECK(insert_report(db_, id, mark, at_us, bytes));
    // The first report tells how things are, not that everything has just changed.
    if (before) NW_CHECK(insert_changes(db_, id, at_us, changes_between(before->report.network, network, report.failovers)));
    return trim(db_, id, at_us);
}

Result<NetworkMark> AgentSessions::network_mark(AgentId id)
{
    sqlite::Statement select(db_, "SELECT stream, number FROM agent_network WHERE agent = ? ORDER BY id DESC LIMIT 1");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).step());
    if (!found) return NetworkMark{};
    return NetworkMark{StreamId(select.integer(0)), std::uint64_t(select.integer(1))};
}

Result<std::optional<NetworkReport>> Agents::network(AgentId id, std::int64_t at_us)
{
    NW_CHECK(get(id));
    NW_TRY(auto stored, newest(db_, id, at_us));
    if (!stored) return std::nullopt;
    return NetworkReport{stored->report.at_us, std::move(stored->report.network)};
}

Result<Paged<NetworkHistoryEntry>> Agents::network_history(AgentId id, const NetworkHistoryFilter& filter, const Page& page)
{
    NW_CHECK(get(id));
    std::int64_t before_us = INT64_MAX;
    std::int64_t before_id = INT64_MAX;
    if (!page.cursor.empty()) {
        const auto at = page.cursor.size() == 26 ? from_base32(page.cursor.substr(0, 13)) : std::nullopt;
        const auto row = at ? from_base32(page.cursor.substr(13)) : std::nullopt;
        if (!row) return fail_field("cursor", "is not one that was given out");
        before_us = std::int64_t(*at);
        before_id = std::int64_t(*row);
    }
    sqlite::Statement select(
        db_, "SELECT id, at_us, kind, interface, text, before, after, took_us, reason FROM agent_network_change WHERE "
             "agent = ?1 AND at_us >= ?2 AND at_us < ?3 AND (at_us, id) < (?4, ?5) AND (?7 IS NULL OR kind = ?7) ORDER BY "
             "at_us DESC, id DESC LIMIT ?6");
    select.bind(1, sql_id(id))
        .bind(2, filter.from_us)
        .bind(3, filter.until_us)
        .bind(4, before_us)
        .bind(5, before_id)
        .bind(6, std::int64_t{page.limit} + 1)
        .bind(7, filter.kind ? std::optional(name_of(*filter.kind)) : std::nullopt);
    Paged<NetworkHistoryEntry> result;
    NW_CHECK(for_each_row(select, [&](const auto& row) { result.items.push_back(entry_from(row)); }));
    if (result.items.size() > page.limit) {
        result.items.pop_back();
        const auto& last = result.items.back();
        result.next = to_base32(std::uint64_t(last.at_us)) + to_base32(std::uint64_t(last.id));
    }
    return result;
}

Result<std::map<std::string, std::int64_t>> Agents::bound_probes(AgentId id)
{
    sqlite::Statement select(db_,
                             "SELECT json_extract(settings, '$.interface') AS bound, count(*) FROM probe WHERE agent = ? "
                             "AND workspace = ? AND deleted_us IS NULL AND bound != '' GROUP BY bound");
    select.bind(1, sql_id(id)).bind(2, sql_id(workspace_));
    std::map<std::string, std::int64_t> counts;
    NW_CHECK(for_each_row(select, [&](const auto& row) { counts.emplace(row.text(0), row.integer(1)); }));
    return counts;
}

}  // namespace nw::store
