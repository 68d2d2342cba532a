// Long lists as CSV files that are read page by page while they are sent, so that an export takes as much memory as one
// page, however long it is.
#pragma once

#include "base/async.hpp"
#include "base/csv.hpp"
#include "base/result.hpp"
#include "net/http.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::api {

struct CsvExport {
    std::string file_name{};  // as it is offered to the user
    std::vector<std::string_view> header{};
    // Writes the rows of the page at `cursor` (empty: the first) and gives the next one's; empty at the end.
    std::function<Task<Result<std::string>>(CsvWriter& csv, std::string cursor)> page{};
};

net::Response csv_response(CsvExport source);

}  // namespace nw::api
