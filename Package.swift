// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors in this package's own targets, and imports and existential types are written out.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "nfs-changes",
    products: [
        .executable(name: "changes", targets: ["changes"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        // What packaging/build says of the build; nothing when somebody else builds.
        .target(
            name: "CBuild",
            cSettings: ["COMMIT", "DATE", "SWIFT"].map {
                .define("CHANGES_\($0)", to: "\"\(Context.environment["CHANGES_\($0)"] ?? "")\"")
            }),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        .target(
            name: "LinuxKernel", dependencies: ["CLinux", system], swiftSettings: strict),
        .target(name: "ChangeStore", dependencies: ["CSQLite", "LinuxKernel", system], swiftSettings: strict),
        .target(name: "Metrics", swiftSettings: strict),
        .target(name: "Tracking", dependencies: ["ChangeStore", "LinuxKernel"], swiftSettings: strict),
        .target(name: "Changelog", dependencies: ["ChangeStore", "LinuxKernel", system], swiftSettings: strict),
        .target(
            name: "SystemdSupport", dependencies: ["CSystemd", "LinuxKernel", logging], swiftSettings: strict),
        .target(
            name: "TrackerDaemon",
            dependencies: [
                "Tracking", "Changelog", "ChangeStore", "LinuxKernel", "Metrics", "SystemdSupport", logging, system,
            ],
            swiftSettings: strict),
        .target(
            name: "Offsite", dependencies: ["ChangeStore", "LinuxKernel", "Metrics", system], swiftSettings: strict),
        .target(
            name: "ChangesCommands",
            dependencies: [
                "CBuild", "Offsite", "TrackerDaemon", "Tracking", "Changelog", "ChangeStore", "LinuxKernel",
                "SystemdSupport",
                argumentParser, logging, system, .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .executableTarget(name: "changes", dependencies: ["ChangesCommands"], swiftSettings: strict),

        .testTarget(name: "LinuxKernelTests", dependencies: ["LinuxKernel"], swiftSettings: strict),
        .testTarget(
            name: "ChangeStoreTests", dependencies: ["ChangeStore", "CSQLite", "LinuxKernel"], swiftSettings: strict),
        .testTarget(
            name: "TrackingTests", dependencies: ["Tracking", "ChangeStore", "LinuxKernel"], swiftSettings: strict),
        .testTarget(name: "ChangelogTests", dependencies: ["Changelog", "LinuxKernel"], swiftSettings: strict),
        .testTarget(
            name: "SystemdSupportTests", dependencies: ["SystemdSupport", "LinuxKernel", logging],
            swiftSettings: strict),
        .testTarget(
            name: "TrackerDaemonTests",
            dependencies: [
                "TrackerDaemon", "Tracking", "Changelog", "ChangeStore", "LinuxKernel", "Metrics", logging, system,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OffsiteTests", dependencies: ["Offsite", "TrackerDaemon", "ChangeStore", "LinuxKernel", "Metrics"],
            swiftSettings: strict),
        .testTarget(
            name: "ChangesCommandsTests",
            dependencies: ["ChangesCommands", "Offsite", "ChangeStore", "LinuxKernel", "Tracking"],
            swiftSettings: strict),
        // The real program in processes of its own; `changes` is built beside the tests, not linked.
        .testTarget(
            name: "SystemTests", dependencies: ["CLinux", "ChangeStore", "LinuxKernel", "Offsite", "changes", system],
            path: "Tests/System",
            cSettings: [.define("_GNU_SOURCE")], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// statx, O_PATH and AT_EMPTY_PATH are in Glibc only with _GNU_SOURCE, and all targets must see the same Glibc.
for target in package.targets where [.regular, .test, .executable].contains(target.type) {
    target.cSettings = (target.cSettings ?? []) + [.define("_GNU_SOURCE")]
}
