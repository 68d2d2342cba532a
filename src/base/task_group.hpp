// Owns coroutines: nothing runs detached. close() stops entry, cancels and waits; a group destroyed with
// work outstanding is a programming error.
//
// Belongs to one loop: every member is called on that loop's thread.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <list>
#include <string>

namespace nw {

class TaskGroup {
public:
    TaskGroup(Executor loop, Log log);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts `task`; after close() has begun the task is dropped unstarted. An exception that escapes it is
    // logged with `name` and ends that task only.
    void spawn(std::string name, Task<void> task);

    Task<void> close();
    // Asks every running task to stop without waiting for it.
    void cancel();
    bool closed() const { return closed_; }
    std::size_t size() const { return running_.size(); }

private:
    struct Running {
        std::string name{};
        asio::cancellation_signal stop{};
    };

    void finished(std::list<Running>::iterator task, std::exception_ptr error);

    Executor loop_;
    Log log_;
    Timer emptied_;
    std::list<Running> running_{};
    bool closed_ = false;
};

}  // namespace nw
