// The tests' environment: no store of whoever runs them, no proxy of theirs.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdlib>

int main(int argc, char** argv) {
  setenv("XDG_STATE_HOME", "/nonexistent/aclmend", 1);
  for (const char* name : {"STATE_DIRECTORY", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"})
    unsetenv(name);
  return Catch::Session().run(argc, argv);
}
