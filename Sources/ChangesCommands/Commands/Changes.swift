public import ArgumentParser

/// The `changes` command; what it does is in its subcommands.
public struct Changes: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "Knows every path that changed below the directories it watches.",
        version: "0.1.0",
        subcommands: [Track.self, Query.self, Verify.self, Accept.self, CheckConfig.self, Doctor.self])

    public init() {}
}
