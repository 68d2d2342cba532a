// The declaration of a probe kind: everything about it that is not measuring. From it follow validation on
// agent and controller, the wire layout, storage columns and roll-ups, API schema, CSV headers, metrics,
// and the panel's form and charts. Adding a kind is a declaration in model/kinds and an engine in probe/.
//
// All numbers are signed 64-bit integers in the column's unit; kAbsent stands for "no value".
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nw {

inline constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::min();

enum class SettingType : std::uint8_t {
    Target,     // host name or address
    Integer,    // min..max
    Duration,   // milliseconds, min..max
    Boolean,    // 0 or 1
    Choice,     // one of `choices`, stored as text
    Text,       // at most `max` bytes
    Interface,  // a network device's name, empty for "as routed"
};

struct Choice {
    std::string_view value{};
    std::string_view label{};
};

struct Setting {
    std::string_view name{};
    std::string_view label{};
    std::string_view help{};
    SettingType type = SettingType::Text;
    std::string_view unit{};  // "ms", "B", "" ...
    bool required = false;
    bool secret = false;
    std::int64_t default_number = 0;
    std::string_view default_text{};
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::span<const Choice> choices{};
    bool advanced = false;  // folded away in forms
};

enum class ColumnType : std::uint8_t {
    Integer,
    Histogram,  // compact form (quality/histogram.hpp)
    Text,
    Table,  // child rows, such as the hops of a path (model/child_rows.hpp)
};

// How two values of a column become one when time ranges are merged.
enum class Rollup : std::uint8_t { Sum, Min, Max, Last, Merge };

// A column of the child rows of a Table. They are kept as long as the run itself and have no roll-ups.
struct ChildColumn {
    std::string_view name{};
    ColumnType type = ColumnType::Integer;  // Integer or Text
    std::string_view unit{};                // as of columns; "ip": bytes of an address
    std::string_view label{};
    std::span<const std::string_view> names{};  // of an Integer that stands for one of them
};

struct Column {
    std::string_view name{};
    ColumnType type = ColumnType::Integer;
    std::string_view unit{};  // "us", "us2", "packets", "B", "bit/s", "" ...
    Rollup rollup = Rollup::Sum;
    std::string_view label{};
    // Read for most charts: stored in the first, small frame of a chunk.
    bool hot = false;
    std::span<const ChildColumn> children{};  // of a Table
};

enum class Formula : std::uint8_t {
    Value,       // the column itself, after its roll-up
    Ratio,       // a / b
    Complement,  // 1 - a / b
    Mean,        // a / b in a's unit
    Deviation,   // standard deviation from sum a, sum of squares c, count b
    Quantile,    // of histogram a at q
};

// What charts, tables, exports and later alert rules can ask for.
struct Metric {
    std::string_view name{};
    std::string_view label{};
    std::string_view unit{};  // "us", "ratio", "packets" ...
    Formula formula = Formula::Value;
    std::string_view a{};
    std::string_view b{};
    std::string_view c{};
    double q = 0;
};

// How the panel draws a kind that has no view of its own.
struct Presentation {
    std::string_view distribution{};            // histogram column drawn as percentile smoke, or empty
    std::string_view loss{};                    // ratio metric of the heat strip, or empty
    std::span<const std::string_view> lines{};  // metrics drawn as lines when there is no distribution
    std::span<const std::string_view> tiles{};  // metrics of the summary tiles
};

struct Kind {
    std::uint16_t number = 0;  // on the wire and in file names; never reused
    std::string_view name{};   // "ping"
    std::string_view label{};
    std::string_view description{};
    std::span<const Setting> settings{};
    std::span<const Column> columns{};
    std::span<const Metric> metrics{};
    Presentation presentation{};

    const Setting* setting(std::string_view setting_name) const;
    const Metric* metric(std::string_view metric_name) const;
    std::optional<std::size_t> column_index(std::string_view column_name) const;
};

// The kinds this program knows, passed to whoever needs them; tests add their own.
class Kinds {
public:
    explicit Kinds(std::vector<const Kind*> kinds);

    const Kind* by_number(std::uint64_t number) const;
    const Kind* by_name(std::string_view name) const;
    std::span<const Kind* const> all() const { return kinds_; }

private:
    std::vector<const Kind*> kinds_;
};

}  // namespace nw
