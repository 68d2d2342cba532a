// Reads the members of a request body and collects every problem, so that a form can mark all of its fields at once.
#pragma once

#include "base/result.hpp"
#include "net/json.hpp"
#include "store/metadata/records.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nw::api {

class Fields {
public:
    // `prefix` names the object in problems: "settings.".
    explicit Fields(const net::Json& body, std::string prefix = "");

    bool has(std::string_view name);
    // UTF-8 without control characters, surrounding blanks removed, `min` to `max` bytes.
    std::string text(std::string_view name, std::size_t min, std::size_t max);
    std::optional<std::string> maybe_text(std::string_view name, std::size_t min, std::size_t max);
    // Kept as it is: blanks and control characters may belong to a password.
    std::string secret(std::string_view name, std::size_t min, std::size_t max);
    std::string email(std::string_view name);
    std::optional<bool> maybe_boolean(std::string_view name);
    std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
    double number(std::string_view name, double min);
    std::optional<store::Labels> maybe_labels(std::string_view name);
    // One of `words`.
    std::string word(std::string_view name, std::initializer_list<std::string_view> words);
    const net::Json& raw(std::string_view name);

    void refuse(std::string_view name, std::string what);
    void add_problems(const std::vector<FieldProblem>& problems);
    // An Error with every problem so far, unknown members included.
    Status done();

private:
    const net::Json* take(std::string_view name, bool required);

    const net::Json& body_;
    std::string prefix_;
    std::set<std::string, std::less<>> known_{};
    std::vector<FieldProblem> problems_{};
};

}  // namespace nw::api
