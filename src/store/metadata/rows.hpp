// Small pieces that the repositories share. Private to store/metadata.
#pragma once

#include "store/metadata/records.hpp"

#include "sqlite/database.hpp"

#include <string>
#include <string_view>

namespace nw::store {

template <class Id>
std::int64_t sql_id(Id id)
{
    return std::int64_t(id);
}

std::string to_json(const Labels& labels);
Labels labels_from(std::string_view json);
bool has_label(const Labels& labels, std::string_view wanted);

// A text for LIKE that finds `needle` anywhere, its own wildcards taken literally (ESCAPE '\').
std::string like_anywhere(std::string_view needle);

// Runs `statement` once for each row.
template <class Read>
Status for_each_row(sqlite::Statement& statement, Read read)
{
    for (;;) {
        NW_TRY(const bool more, statement.step());
        if (!more) break;
        read(statement);
    }
    statement.reset();
    return {};
}

// A statement that must change exactly one row; NotFound otherwise.
Status run_on_one(sqlite::Database& db, sqlite::Statement& statement, std::string_view what);

}  // namespace nw::store
