public import ArgumentParser
import TrackerDaemon

/// The `changes` command; what it does is in its subcommands.
public struct Changes: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "Knows every path that changed below the directories it watches.",
        version: productVersion,
        subcommands: [
            Track.self, Query.self, StatusCommand.self, Consume.self, ConsumerCommand.self, Doctor.self, Verify.self,
            Accept.self, CheckConfig.self, SandboxedSender.self, SenderRelayCommand.self, SenderShellCommand.self,
        ])

    public init() {}
}
