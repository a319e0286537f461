import ArgumentParser
import LinuxKernel
import Logging
import Testing

@testable import ChangesCommands

@Suite struct CommandTests {
    @Test func trackFlagsBecomeSettings() throws {
        let command = try Track.parse([
            "--root", "/a/*", "--root", "/b", "--exclude", "*.tmp", "--log", "/l/log", "--state", "/s/",
            "--require-mount", "/l/", "--emit-existing", "--log-level", "debug",
        ])
        let settings = try command.settings()
        #expect(settings.configuration.watch.roots == [Array("/a/*".utf8), Array("/b".utf8)])
        #expect(settings.configuration.watch.exclude == [Array("*.tmp".utf8)])
        #expect(settings.configuration.log.path == Array("/l/log".utf8))
        #expect(settings.configuration.log.requireMount == Array("/l".utf8))
        #expect(settings.configuration.store.directory == Array("/s".utf8))
        #expect(settings.emitExisting)
        #expect(settings.logLevel == .debug)
    }

    @Test func bytesThatAreNotUTF8ReachTheSettings() throws {
        let path: [UInt8] = [0x2F, 0xFF, 0x5C]
        let command = try Track.parse(["--log", ArgumentBytes.text(of: path)])
        #expect(try command.settings().configuration.log.path == path)
    }

    @Test func aMissingConfigurationFileIsAnErrorOnlyWhenNamed() throws {
        let command = try Track.parse(["--config", "/nonexistent/config.toml"])
        let failure = #expect(throws: CommandFailure.self) { try command.settings() }
        #expect(failure?.status == .configuration)
        #expect(
            failure?.report == "/nonexistent/config.toml: found no such file, expected a readable TOML file")
    }

    @Test(arguments: [
        ["nosuch"], ["track", "--root", "relative"], ["track", "--root", ""], ["track", "--exclude", ""],
        ["track", "--log", "/a/"], ["track", "--log-level", "loud"], ["query", "--since", "foo"],
        ["query", "--under", "relative"], ["query", "-0", "--format", "json"], ["query", "--format", "xml"],
        ["query", "stray"], ["accept"], ["verify", "nosuch"],
    ])
    func aWrongCommandLineExitsWith2(arguments: [String]) { #expect(status(of: arguments) == .usage) }

    @Test(arguments: [["--help"], ["--version"], ["query", "--help"], ["track", "--help"]])
    func helpExitsWith0(arguments: [String]) { #expect(status(of: arguments) == .success) }

    @Test func aBrokenConfigurationExitsWith78() {
        #expect(status(of: ["check-config", "--config", "/nonexistent"]) == .configuration)
        #expect(status(of: ["track", "--config", "/"]) == .configuration)
    }

    @Test func failuresNameTheCommandButConfigurationErrorsTheirFile() {
        #expect(CommandFailure(.software, "a\nb").report == "changes: a\nchanges: b")
        #expect(CommandFailure(.configuration, "the store is newer").report == "changes: the store is newer")
        let problem = ConfigurationProblem(file: "c.toml", line: 1, found: "x", expected: "y")
        #expect(CommandFailure(ConfigurationError([problem])).report == "c.toml:1: found x, expected y")
    }

    @Test func queryWithoutAStoreSaysHowToGetOne() {
        #expect(status(of: ["query", "--state", "/nonexistent/state"]) == .unavailable)
        let message = noStore(in: Array("/nonexistent/state".utf8)).message
        #expect(message.contains("changes track --state /nonexistent/state"))
    }

    @Test(
        arguments: [
            ([], ChangeFormat.table), (["-0"], .nulTerminatedPaths), (["--format", "paths"], .paths),
            (["--format", "paths", "-0"], .nulTerminatedPaths), (["--format", "json"], .json),
        ] as [([String], ChangeFormat)])
    func formats(arguments: [String], format: ChangeFormat) throws {
        #expect(try Query.parse(arguments).query(now: .now).format == format)
    }

    @Test func queryFlagsBecomeAQuery() throws {
        let query = try Query.parse(["--since", "seq:7", "--under", "/a//b/"]).query(now: .now)
        #expect(query.since == .sequence(7))
        #expect(query.under == PathScope(Array("/a/b".utf8)))
    }
}
