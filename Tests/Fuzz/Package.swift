// swift-tools-version: 6.2
import PackageDescription

// Fuzzing of what reads bytes that others wrote: see README.md.
//
// A package of its own, because libFuzzer's coverage needs unsafe flags. The sources under test are links to the main
// package's; the module `Patterns` is a part of its `Tracking`.

let coverage: [SwiftSetting] = [
    .unsafeFlags(["-sanitize=fuzzer"]),
    // As in the main package: the sources rely on which module a name comes from.
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "fuzz",
    dependencies: [.package(url: "https://github.com/apple/swift-system", from: "1.8.1")],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CLibFuzzer"),
        .target(
            name: "LinuxKernel", dependencies: ["CLinux", .product(name: "SystemPackage", package: "swift-system")],
            cSettings: [.define("_GNU_SOURCE")], swiftSettings: coverage),
        .target(
            name: "Patterns", dependencies: ["LinuxKernel"], cSettings: [.define("_GNU_SOURCE")],
            swiftSettings: coverage),
        .executableTarget(
            name: "Fuzz", dependencies: ["CLibFuzzer", "LinuxKernel", "Patterns"],
            swiftSettings: coverage + [.unsafeFlags(["-parse-as-library"])],
            // lld: gold, which Swift takes otherwise, crashes on these objects.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
