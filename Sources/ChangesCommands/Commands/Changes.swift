public import ArgumentParser

/// The `changes` command; what it does is in its subcommands.
public struct Changes: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "Knows every path that changed below the directories it watches.",
        version: BuildDescription.text,
        subcommands: [
            Track.self, Query.self, StatusCommand.self, Consume.self, ConsumerCommand.self, SyncCommand.self,
            Restore.self, ListCopy.self, Verify.self, Doctor.self, Accept.self, CheckConfig.self,
            // For this program's own use.
            SandboxedSender.self, SenderRelayCommand.self, SenderShellCommand.self,
        ])

    public init() {}
}
