#include "api/fields.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cmath>

namespace nw::api {
namespace {

constexpr std::size_t kLabelsMax = 32;
constexpr std::size_t kLabelBytesMax = 64;

std::string length_text(std::size_t min, std::size_t max)
{
    if (min == 0) return "must be at most " + std::to_string(max) + " bytes long";
    return "must be " + std::to_string(min) + " to " + std::to_string(max) + " bytes long";
}

// One @ with something on both sides and no blanks; whether mail arrives there only mail can tell.
bool looks_like_email(std::string_view text)
{
    const auto at = text.find('@');
    return at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos
           && text.find(' ') == text.npos && text.size() <= 254;
}

}  // namespace

Fields::Fields(const net::Json& body, std::string prefix) : body_(body), prefix_(std::move(prefix))
{
    if (!body_.object())
        problems_.push_back({prefix_.empty() ? "" : prefix_.substr(0, prefix_.size() - 1), "must be a JSON object"});
}

const net::Json* Fields::take(std::string_view name, bool required)
{
    known_.emplace(name);
    if (!body_.object()) return nullptr;
    const auto found = body_.object()->find(name);
    if (found != body_.object()->end()) return &found->second;
    if (required) refuse(name, "is required");
    return nullptr;
}

void Fields::refuse(std::string_view name, std::string what)
{
    problems_.push_back({prefix_ + std::string(name), std::move(what)});
}

void Fields::add_problems(const std::vector<FieldProblem>& problems)
{
    problems_.insert(problems_.end(), problems.begin(), problems.end());
}

bool Fields::has(std::string_view name)
{
    known_.emplace(name);
    return body_.object() && body_.object()->contains(name);
}

std::string Fields::text(std::string_view name, std::size_t min, std::size_t max)
{
    const auto* value = take(name, true);
    if (!value) return {};
    if (!value->text()) {
        refuse(name, "must be text");
        return {};
    }
    const auto clean = trimmed(*value->text());
    if (clean.size() < min || clean.size() > max) refuse(name, clean.empty() ? "is required" : length_text(min, max));
    else if (!is_clean_text(clean)) refuse(name, "must not contain control characters");
    return std::string(clean);
}

std::optional<std::string> Fields::maybe_text(std::string_view name, std::size_t min, std::size_t max)
{
    if (!has(name)) return std::nullopt;
    return text(name, min, max);
}

std::string Fields::secret(std::string_view name, std::size_t min, std::size_t max)
{
    const auto* value = take(name, true);
    if (!value) return {};
    if (!value->text()) {
        refuse(name, "must be text");
        return {};
    }
    if (value->text()->size() < min || value->text()->size() > max) refuse(name, length_text(min, max));
    return *value->text();
}

std::string Fields::email(std::string_view name)
{
    auto value = text(name, 3, 254);
    if (!value.empty() && !looks_like_email(value)) refuse(name, "must be an e-mail address");
    return value;
}

std::optional<bool> Fields::maybe_boolean(std::string_view name)
{
    const auto* value = take(name, false);
    if (!value) return std::nullopt;
    if (value->boolean()) return *value->boolean();
    refuse(name, "must be true or false");
    return std::nullopt;
}

std::int64_t Fields::integer(std::string_view name, std::int64_t min, std::int64_t max)
{
    const auto* value = take(name, true);
    if (!value) return min;
    const auto* number = value->integer();
    if (number && *number >= min && *number <= max) return *number;
    refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return min;
}

double Fields::number(std::string_view name, double min)
{
    const auto* value = take(name, true);
    if (!value) return min;
    const double number = value->integer() ? double(*value->integer()) : value->real() ? *value->real() : NAN;
    if (std::isfinite(number) && number >= min) return number;
    refuse(name, "must be a number, at least 0");
    return min;
}

std::optional<store::Labels> Fields::maybe_labels(std::string_view name)
{
    const auto* value = take(name, false);
    if (!value) return std::nullopt;
    store::Labels labels;
    const auto* items = value->array();
    if (!items || items->size() > kLabelsMax) {
        refuse(name, "must be a list of at most 32 labels");
        return std::nullopt;
    }
    for (const auto& item : *items) {
        const auto clean = item.text() ? trimmed(*item.text()) : std::string_view();
        if (clean.empty() || clean.size() > kLabelBytesMax || !is_clean_text(clean)) {
            refuse(name, "each label must be 1 to 64 bytes of text");
            return std::nullopt;
        }
        labels.emplace_back(clean);
    }
    std::ranges::sort(labels);
    labels.erase(std::ranges::unique(labels).begin(), labels.end());
    return labels;
}

std::string Fields::word(std::string_view name, std::initializer_list<std::string_view> words)
{
    const auto* value = take(name, true);
    if (!value) return {};
    if (value->text() && std::ranges::find(words, *value->text()) != words.end()) return *value->text();
    std::string allowed;
    for (const auto word : words) allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    refuse(name, "must be one of " + allowed);
    return {};
}

const net::Json& Fields::raw(std::string_view name)
{
    known_.emplace(name);
    return body_.at(name);
}

Status Fields::done()
{
    if (body_.object()) {
        std::vector<std::string_view> known(known_.begin(), known_.end());
        for (const auto& [name, value] : *body_.object()) {
            if (known_.contains(name)) continue;
            const auto near = nearest(name, known);
            refuse(name, near ? "is not known; did you mean " + *near + "?" : "is not known here");
        }
    }
    if (problems_.empty()) return {};
    auto what = problems_.front().field + " " + problems_.front().what;
    return std::unexpected(Error{Errc::Invalid, std::move(what), problems_});
}

}  // namespace nw::api
