#pragma once
// Builds of plugins by their digest: <folder>/<SHA-256>.so. What orders in flight began with stays here when
// a package upgrade takes the file away that it came from. Files are made once and never changed.
#include <filesystem>
#include <optional>
#include <string>

#include "plugin_host/loading/library.h"

namespace orderd::plugins {

class BuildStore {
 public:
  /// `folder` may be missing, or "": then nothing is found in it.
  explicit BuildStore(std::filesystem::path folder, Trust trust = {})
      : folder_(std::move(folder)), trust_(trust) {}

  /// The file of that build, if it is here.
  std::optional<std::filesystem::path> find(const std::string& digest) const;
  /// Copies the file there, whole or not at all, and returns its digest. "" if the folder cannot be written,
  /// with the reason in `problem`.
  std::string keep(const std::filesystem::path& file, std::string& problem) const;
  /// What that build says of itself; its code is mapped for it, and nothing of it is begun. PluginError: it
  /// cannot be used, or is not here.
  struct Description {
    std::string plugin, version;
  };
  Description describe(const std::string& instance, const std::string& digest) const;
  /// The digest of the instance's file as this host last saw it; nullopt if it does not know.
  std::optional<std::string> seen(const std::string& instance) const;
  /// Remembers it, where there is a folder that can be written.
  void saw(const std::string& instance, const std::string& digest) const;
  const std::filesystem::path& folder() const { return folder_; }
  LibrarySource source() const { return {folder_, trust_}; }

 private:
  const std::filesystem::path folder_;
  const Trust trust_;
};

}  // namespace orderd::plugins
