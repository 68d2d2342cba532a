#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "base/digest.hpp"
#include "sqlite/database.hpp"

#include <array>

namespace nw::store {
namespace {

constexpr std::string_view kColumns = "SELECT id, workspace, at_us, actor, actor_name, action, subject_type, subject, "
                                      "subject_name, outcome, detail, address, request, hash FROM audit ";

AuditOutcome outcome_named(std::string_view name)
{
    return name == "done" ? AuditOutcome::Done : name == "denied" ? AuditOutcome::Denied : AuditOutcome::Failed;
}

AuditEntry entry_from(const sqlite::Statement& row)
{
    const auto workspace = row.maybe_integer(1);
    return {.workspace = workspace ? std::optional(WorkspaceId(*workspace)) : std::nullopt,
            .at_us = row.integer(2),
            .actor = row.text(3),
            .actor_name = row.text(4),
            .action = row.text(5),
            .subject_type = row.text(6),
            .subject = row.text(7),
            .subject_name = row.text(8),
            .outcome = outcome_named(row.view(9)),
            .detail = row.text(10),
            .address = row.text(11),
            .request = row.text(12)};
}

// Every field is preceded by its length: no two different rows have the same bytes.
std::string chained_hash(std::string_view previous, const AuditEntry& entry)
{
    std::string bytes;
    const auto put = [&](std::string_view field) {
        bytes += std::to_string(field.size()) + ":";
        bytes += field;
    };
    put(previous);
    put(entry.workspace ? to_text(*entry.workspace) : "");
    put(std::to_string(entry.at_us));
    for (const auto* field : {&entry.actor, &entry.actor_name, &entry.action, &entry.subject_type, &entry.subject,
                              &entry.subject_name, &entry.detail, &entry.address, &entry.request})
        put(*field);
    put(kAuditOutcomeNames[std::size_t(entry.outcome)]);
    return sha256(bytes);
}

}  // namespace

Status AuditLog::add(const AuditEntry& entry)
{
    sqlite::Statement last(db_, "SELECT hash FROM audit ORDER BY id DESC LIMIT 1");
    NW_TRY(const bool has_last, last.step());
    const auto hash = chained_hash(has_last ? last.view(0) : std::string_view(), entry);
    last.reset();
    sqlite::Statement insert(db_, "INSERT INTO audit (workspace, at_us, actor, actor_name, action, subject_type, subject, "
                                  "subject_name, outcome, detail, "
                                  "address, request, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const auto workspace = entry.workspace ? std::optional(sql_id(*entry.workspace)) : std::nullopt;
    return insert.bind(1, workspace)
        .bind(2, entry.at_us)
        .bind(3, entry.actor)
        .bind(4, entry.actor_name)
        .bind(5, entry.action)
        .bind(6, entry.subject_type)
        .bind(7, entry.subject)
        .bind(8, entry.subject_name)
        .bind(9, kAuditOutcomeNames[std::size_t(entry.outcome)])
        .bind(10, entry.detail)
        .bind(11, entry.address)
        .bind(12, entry.request)
        .bind_blob(13, hash)
        .run();
}

Result<Paged<AuditRow>> AuditLog::list(const AuditFilter& filter, const Page& page)
{
    std::int64_t before = INT64_MAX;
    if (!page.cursor.empty()) {
        const auto id = parse_id<AuditId>(page.cursor);
        if (!id) return fail_field("cursor", "is not one that was given out");
        before = sql_id(*id);
    }
    sqlite::Statement select(
        db_, std::string(kColumns)
                 + "WHERE workspace IS ?1 AND id < ?2 AND at_us >= ?3 AND at_us < ?4 AND (?5 = '' OR actor = ?5) "
                   "AND substr(action, 1, length(?6)) = ?6 ORDER BY id DESC LIMIT ?7");
    const auto workspace = filter.workspace ? std::optional(sql_id(*filter.workspace)) : std::nullopt;
    select.bind(1, workspace)
        .bind(2, before)
        .bind(3, filter.from_us)
        .bind(4, filter.until_us)
        .bind(5, filter.actor)
        .bind(6, filter.action)
        .bind(7, std::int64_t{page.limit} + 1);
    Paged<AuditRow> result;
    NW_CHECK(for_each_row(select, [&](const auto& row) { result.items.push_back({row.integer(0), entry_from(row)}); }));
    if (result.items.size() > page.limit) {
        result.items.pop_back();
        result.next = to_text(AuditId(result.items.back().id));
    }
    return result;
}

Result<std::vector<AuditEntry>> AuditLog::of_subject(WorkspaceId workspace, std::string_view subject, std::int64_t from_us,
                                                     std::int64_t until_us, std::uint32_t limit)
{
    sqlite::Statement select(db_, std::string(kColumns)
                                      + "WHERE workspace = ? AND subject = ? AND at_us >= ? AND at_us < ? AND outcome = "
                                        "'done' ORDER BY at_us DESC, id DESC LIMIT ?");
    select.bind(1, sql_id(workspace)).bind(2, subject).bind(3, from_us).bind(4, until_us).bind(5, std::int64_t{limit});
    std::vector<AuditEntry> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(entry_from(row)); }));
    return found;
}

Result<std::optional<std::int64_t>> AuditLog::first_broken()
{
    sqlite::Statement select(db_, std::string(kColumns) + "ORDER BY id");
    std::string previous;
    for (;;) {
        NW_TRY(const bool more, select.step());
        if (!more) return std::nullopt;
        auto hash = chained_hash(previous, entry_from(select));
        if (hash != select.view(13)) return select.integer(0);
        previous = std::move(hash);
    }
}

}  // namespace nw::store
