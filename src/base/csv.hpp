// Writes CSV (RFC 4180): CRLF, quotes where needed. A cell that a spreadsheet would take for a formula is prefixed
// with an apostrophe: names and reasons come from outside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nw {

class CsvWriter {
public:
    CsvWriter& text(std::string_view value);
    CsvWriter& number(std::int64_t value);
    CsvWriter& empty();
    CsvWriter& end_row();
    std::size_t size() const { return out_.size(); }
    std::string str() && { return std::move(out_); }

private:
    void separate();
    std::string out_{};
    bool first_ = true;
};

// "2026-01-24T14:00:00.123456Z"
std::string iso_time(std::int64_t us);

}  // namespace nw
