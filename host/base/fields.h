#pragma once
// How a struct that leaves the process is described: once, beside it, by
//
//   template <class Visitor, FieldsOf<Point> T>
//   void fields(Visitor& visit, T& point) {
//     visit("x", point.x);
//     visit("y", point.y);
//   }
//
// What writes gets it const, what reads does not. Codecs derive from it; see plugin_host/isolation/wire.cpp.
#include <concepts>
#include <type_traits>

namespace orderd {

template <class T, class Struct>
concept FieldsOf = std::same_as<std::remove_const_t<T>, Struct>;

}  // namespace orderd
