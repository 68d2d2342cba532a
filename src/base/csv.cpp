#include "base/csv.hpp"

#include "base/time.hpp"

#include <fmt/format.h>

namespace nw {

void CsvWriter::separate()
{
    if (!first_) out_ += ',';
    first_ = false;
}

CsvWriter& CsvWriter::text(std::string_view value)
{
    separate();
    const bool formula = !value.empty() && std::string_view("=+-@\t\r").find(value.front()) != std::string_view::npos;
    if (!formula && value.find_first_of(",\"\r\n") == std::string_view::npos) {
        out_ += value;
        return *this;
    }
    out_ += '"';
    if (formula) out_ += '\'';
    for (const char c : value) {
        if (c == '"') out_ += '"';
        out_ += c;
    }
    out_ += '"';
    return *this;
}

CsvWriter& CsvWriter::number(std::int64_t value)
{
    separate();
    out_ += std::to_string(value);
    return *this;
}

CsvWriter& CsvWriter::empty()
{
    separate();
    return *this;
}

CsvWriter& CsvWriter::end_row()
{
    out_ += "\r\n";
    first_ = true;
    return *this;
}

std::string iso_time(std::int64_t us)
{
    const auto at = from_us(us);
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(at - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", int(date.year()), unsigned(date.month()),
                       unsigned(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

}  // namespace nw
