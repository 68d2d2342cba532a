#include "api/audit_view.hpp"
#include "api/handlers.hpp"

#include "base/csv.hpp"
#include "base/json_writer.hpp"

namespace nw::api {
namespace {

constexpr std::int64_t kLatestUs = 4'102'444'800'000'000;

Result<store::AuditFilter> filter_of(const Call& call)
{
    store::AuditFilter filter{.workspace = call.workspace.id};
    NW_TRY(const auto from, query_integer(call, "from", 0, kLatestUs));
    NW_TRY(const auto to, query_integer(call, "to", 0, kLatestUs));
    filter.from_us = from.value_or(0);
    filter.until_us = to.value_or(kLatestUs);
    const auto& query = call.request.query;
    if (const auto found = query.find("actor"); found != query.end()) filter.actor = found->second;
    if (const auto found = query.find("action"); found != query.end()) filter.action = found->second;
    return filter;
}

struct Export {
    Services& services;
    store::AuditFilter filter{};
    std::string cursor{};
    bool started = false;
    bool done = false;
};

Task<Result<std::string>> next_piece(std::shared_ptr<Export> state)
{
    CsvWriter csv;
    if (!state->started) {
        state->started = true;
        for (const auto* name :
             {"at", "at_us", "actor", "action", "subject_type", "subject", "subject_name", "outcome", "address", "detail"})
            csv.text(name);
        csv.end_row();
    }
    while (!state->done && csv.size() == 0) {
        NW_CO_TRY(const auto page, co_await state->services.metadata.read([&](store::MetadataTx& tx) {
            return tx.audit().list(state->filter, {.limit = 1000, .cursor = state->cursor});
        }));
        for (const auto& row : page.items) {
            const auto& entry = row.entry;
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
        state->cursor = page.next;
        state->done = page.next.empty();
    }
    co_return std::move(csv).str();
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
    const auto state = std::make_shared<Export>(Export{.services = services, .filter = std::move(filter)});
    net::Response response{.content_type = "text/csv; charset=utf-8", .source = [state] { return next_piece(state); }};
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"audit-" + call.workspace.slug + ".csv\"");
    co_return response;
}

}  // namespace nw::api
