#include "api/csv_export.hpp"

#include <memory>
#include <utility>

namespace nw::api {
namespace {

// What an export still has to send.
struct Sending {
    CsvExport source;
    std::string cursor{};
    bool started = false;
    bool done = false;
};

Task<Result<std::string>> next_piece(std::shared_ptr<Sending> state)
{
    CsvWriter csv;
    if (!std::exchange(state->started, true)) {
        for (const auto name : state->source.header) csv.text(name);
        csv.end_row();
    }
    // A page may come out empty and not be the last; an empty piece would end the answer.
    while (!state->done && csv.size() == 0) {
        NW_CO_TRY(state->cursor, co_await state->source.page(csv, state->cursor));
        state->done = state->cursor.empty();
    }
    co_return std::move(csv).str();
}

}  // namespace

net::Response csv_response(CsvExport source)
{
    auto disposition = "attachment; filename=\"" + source.file_name + "\"";
    const auto state = std::make_shared<Sending>(Sending{.source = std::move(source)});
    net::Response response{.content_type = "text/csv; charset=utf-8", .source = [state] { return next_piece(state); }};
    response.headers.emplace_back("Content-Disposition", std::move(disposition));
    return response;
}

}  // namespace nw::api
