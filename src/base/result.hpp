// Result<T> carries a value or an Error.
//
// Use it for what can go wrong while the program is correct: bad input, absent rows, dead peers.
// A broken invariant is NW_ASSERT; a lost packet is neither, it is a measurement.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nw {

enum class Errc : std::uint8_t {
    Invalid,  // the caller sent something that can never succeed
    Denied,   // known, but not allowed
    NotFound,
    Conflict,     // lost a race, or clashes with what exists; re-read and retry
    Unavailable,  // a dependency is down or overloaded; retry later
    Timeout,
    Corrupt,  // stored or received bytes fail their own checks
};

// One input that was refused: where it stands (a JSON pointer without the slash, "settings.timeout_ms")
// and what is allowed there.
struct FieldProblem {
    std::string field{};
    std::string what{};

    friend bool operator==(const FieldProblem&, const FieldProblem&) = default;
};

struct Error {
    Errc code = Errc::Invalid;
    std::string what{};
    std::vector<FieldProblem> fields{};

    // Prefixes what the caller was doing, so that a message reads from intent to cause.
    [[nodiscard]] Error while_doing(std::string_view action) &&
    {
        return {code, std::string(action) + ": " + std::move(what), std::move(fields)};
    }

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// `return fail(Errc::NotFound, "no such probe");`
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string what)
{
    return std::unexpected(Error{code, std::move(what), {}});
}

[[nodiscard]] inline std::unexpected<Error> fail_field(std::string field, std::string what)
{
    auto text = field + ": " + what;
    return std::unexpected(Error{Errc::Invalid, std::move(text), {FieldProblem{std::move(field), std::move(what)}}});
}

}  // namespace nw

// Binds the value of `expr` to `decl`, or returns its error from the enclosing function. The CO forms are
// for coroutines, the CHECK forms for a Status or a value nobody needs.
#define NW_TRY(decl, expr) NW_TRY_(NW_JOIN_(nw_result_, __LINE__), decl, expr, return)
#define NW_CO_TRY(decl, expr) NW_TRY_(NW_JOIN_(nw_result_, __LINE__), decl, expr, co_return)
#define NW_CHECK(expr) NW_CHECK_(NW_JOIN_(nw_result_, __LINE__), expr, return)
#define NW_CO_CHECK(expr) NW_CHECK_(NW_JOIN_(nw_result_, __LINE__), expr, co_return)
#define NW_TRY_(tmp, decl, expr, give_back)                                                                                 \
    auto tmp = (expr);                                                                                                      \
    if (!tmp) give_back std::unexpected(std::move(tmp).error());                                                            \
    decl = *std::move(tmp)
#define NW_CHECK_(tmp, expr, give_back)                                                                                     \
    do {                                                                                                                    \
        if (auto tmp = (expr); !tmp) give_back std::unexpected(std::move(tmp).error());                                     \
    } while (false)
#define NW_JOIN_(a, b) NW_JOIN2_(a, b)
#define NW_JOIN2_(a, b) a##b
