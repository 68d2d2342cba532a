// Chance as an input. SystemRandom is cryptographic (getrandom); SeededRandom repeats itself for tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace nw {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> out) = 0;

    std::uint64_t u64();
    // Uniform in [0, 1).
    double unit();
    // Uniform in [0, bound); requires bound > 0.
    std::uint64_t below(std::uint64_t bound);
    // `bytes` random bytes in lower-case hex.
    std::string hex(std::size_t bytes);
};

class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> out) override;
};

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::byte> out) override;

private:
    std::mt19937_64 engine_;
};

}  // namespace nw
