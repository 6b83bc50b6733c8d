// Two versions of the program on one schema.
#include "store/migrations.h"

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;
using store::Migration;

namespace {

std::vector<Migration> with(std::vector<Migration> more) {
  std::vector<Migration> all = store::host_migrations();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const Migration adds{90, "0090_adds", "-- compatible: yes\ncreate table later (id int)"};
const Migration adds_more{92, "0092_adds_more", "-- compatible: yes\ncreate index on later (id)"};
const Migration breaks{91, "0091_breaks", "-- An older program would fail.\ncreate table changed (id int)"};

}  // namespace

TEST_CASE("A program works on a schema that is newer by compatible migrations alone", "[migrations]") {
  TestDatabase database;
  auto& session = database.session();
  CHECK(store::migrate(session, "orderd", with({adds})).size() == 1);
  CHECK(store::schema_problem(session) == "");
  CHECK(store::migrate(session, "orderd", store::host_migrations()).empty());
  (void)store::migrate(session, "orderd", with({adds, breaks}));
  CHECK_THAT(store::schema_problem(session), Catch::Contains("newer (migration 91)"));
  CHECK_THROWS_WITH(store::migrate(session, "orderd", store::host_migrations()),
                    Catch::Contains("does not work with programs before it"));
}

TEST_CASE("A program from before there was a mark finds the schema that it knows", "[migrations]") {
  TestDatabase database;
  (void)store::migrate(database.session(), "orderd", with({adds}));
  // What such a program asks for.
  CHECK(database.number("select count(*) from orderd_migrations where owner = 'orderd'") ==
        std::count_if(store::host_migrations().begin(), store::host_migrations().end(),
                      [](const Migration& one) { return !one.compatible(); }));
}

TEST_CASE("A host that starts makes what is compatible, and nothing if anything else is missing",
          "[migrations]") {
  TestDatabase database;
  auto& session = database.session();
  CHECK(store::apply_compatible(session, with({breaks, adds_more})).empty());
  CHECK_THAT(store::schema_problem(session, with({breaks, adds_more})),
             Catch::Contains("first 0091_breaks: run `orderctl migrate apply`"));
  // Another branch of development may have come first: the number says what is there, not the place.
  (void)store::migrate(session, "orderd", with({breaks}));
  CHECK(store::apply_compatible(session, with({adds, breaks, adds_more})).size() == 2);
  CHECK(store::schema_problem(session, with({adds, breaks, adds_more})) == "");
  CHECK(store::schema_problem(session, with({breaks})) == "");
}

TEST_CASE("A host does not make a schema where there is none", "[migrations]") {
  TestDatabase database;
  auto& session = database.session();
  database.script("delete from orderd_migrations");
  CHECK(store::apply_compatible(session, {adds}).empty());
  CHECK_THAT(store::schema_problem(session), Catch::Contains("has no orderd schema yet"));
}

TEST_CASE("A text that was changed after it was applied is refused, compatible or not", "[migrations]") {
  TestDatabase database;
  auto& session = database.session();
  (void)store::migrate(session, "orderd", with({adds}));
  Migration changed = adds;
  changed.sql += ";";
  CHECK_THAT(store::schema_problem(session, with({changed})), Catch::Contains("migration 90 of orderd"));
  CHECK(store::apply_compatible(session, with({changed, adds_more})).empty());
}
