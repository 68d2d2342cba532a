// A hashed timing wheel: timers with O(1) insert and remove, in ticks. Pure.
//
// A timer further away than the wheel is long stays in its slot and is passed over until its tick has come; so
// next_tick() may name a tick at which nothing is due yet, never one that is too late.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace nw::probe {

class Wheel {
public:
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

    explicit Wheel(std::int64_t now) : now_(now) { heads_.fill(kNone); }

    // Makes room for timers 0 .. count - 1.
    void resize(std::uint32_t count) { nodes_.resize(count); }
    // Sets the timer, wherever it stood before. A tick that has passed is due at the next advance.
    void set(std::uint32_t timer, std::int64_t tick);
    void clear(std::uint32_t timer);
    bool is_set(std::uint32_t timer) const { return nodes_[timer].tick != kNever; }

    // Appends what is due at `now` or earlier to `due`.
    void advance(std::int64_t now, std::vector<std::uint32_t>& due);
    std::int64_t next_tick() const;

private:
    static constexpr std::uint32_t kSlots = 4096;
    static constexpr std::uint32_t kNone = ~0U;

    struct Node {
        std::int64_t tick = kNever;
        std::uint32_t next = kNone;
        std::uint32_t previous = kNone;  // kNone: the first of its slot
    };

    static std::uint32_t slot_of(std::int64_t tick) { return std::uint32_t(tick) & (kSlots - 1); }
    void collect(std::uint32_t slot, std::int64_t now, std::vector<std::uint32_t>& due);

    std::int64_t now_;  // every tick up to this one has been collected
    std::array<std::uint32_t, kSlots> heads_{};
    std::array<std::uint64_t, kSlots / 64> occupied_{};
    std::vector<Node> nodes_{};
};

}  // namespace nw::probe
