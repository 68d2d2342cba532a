#include "api/audit_view.hpp"
#include "api/csv_export.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"

namespace nw::api {
namespace {

constexpr std::int64_t kLatestUs = 4'102'444'800'000'000;
constexpr std::uint32_t kRowsPerExportPiece = 1000;

Result<store::AuditFilter> filter_of(const Call& call)
{
    // Without a workspace it is what concerns the instance itself.
    store::AuditFilter filter;
    if (call.workspace.id != WorkspaceId{}) filter.workspace = call.workspace.id;
    NW_TRY(const auto from, query_integer(call, "from", 0, kLatestUs));
    NW_TRY(const auto to, query_integer(call, "to", 0, kLatestUs));
    filter.from_us = from.value_or(0);
    filter.until_us = to.value_or(kLatestUs);
    const auto& query = call.request.query;
    if (const auto found = query.find("actor"); found != query.end()) filter.actor = found->second;
    if (const auto found = query.find("action"); found != query.end()) filter.action = found->second;
    return filter;
}

void write_csv(CsvWriter& csv, const store::AuditEntry& entry)
{
    csv.text(iso_time(entry.at_us))
        .number(entry.at_us)
        .text(entry.actor_name.empty() ? entry.actor : entry.actor_name)
        .text(entry.action)
        .text(entry.subject_type)
        .text(entry.subject)
        .text(entry.subject_name)
        .text(store::kAuditOutcomeNames[std::size_t(entry.outcome)])
        .text(entry.address)
        .text(entry.detail)
        .end_row();
}

Task<Result<std::string>> write_page(Services& services, const store::AuditFilter& filter, CsvWriter& csv,
                                     std::string cursor)
{
    NW_CO_TRY(auto page, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.audit().list(filter, {.limit = kRowsPerExportPiece, .cursor = cursor});
    }));
    for (const auto& row : page.items) write_csv(csv, row.entry);
    co_return std::move(page.next);
}

}  // namespace

void write_audit_entry(JsonWriter& json, const store::AuditRow& row)
{
    const auto& entry = row.entry;
    json.object().field("id", to_text(AuditId(row.id))).field("at_us", entry.at_us).key("actor");
    if (entry.actor.starts_with("usr_"))
        json.object().field("id", entry.actor).field("email", "").field("name", entry.actor_name).end_object();
    else json.null();
    json.field("action", entry.action)
        .field("subject_type", entry.subject_type)
        .field("subject", entry.subject)
        .field("subject_name", entry.subject_name)
        .field("outcome", store::kAuditOutcomeNames[std::size_t(entry.outcome)])
        .field("address", entry.address)
        .key("detail")
        .raw(entry.detail)
        .end_object();
}

Task<Reply> list_audit(Services& services, Call& call)
{
    NW_CO_TRY(const auto page, page_of(call));
    NW_CO_TRY(const auto filter, filter_of(call));
    NW_CO_TRY(const auto found,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.audit().list(filter, page); }));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& row : found.items) write_audit_entry(json, row);
    json.end_array().key("next_cursor");
    if (found.next.empty()) json.null();
    else json.text(found.next);
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> export_audit(Services& services, Call& call)
{
    NW_CO_TRY(auto filter, filter_of(call));
    co_return csv_response(
        {.file_name = "audit-" + (call.workspace.slug.empty() ? "instance" : call.workspace.slug) + ".csv",
         .header = {"at", "at_us", "actor", "action", "subject_type", "subject", "subject_name", "outcome", "address",
                    "detail"},
         .page = [&services, filter = std::move(filter)](CsvWriter& csv, std::string cursor) {
             return write_page(services, filter, csv, std::move(cursor));
         }});
}

}  // namespace nw::api
