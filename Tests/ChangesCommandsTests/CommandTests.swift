import ArgumentParser
import ChangeStore
import LinuxKernel
import Logging
import Testing
import Tracking

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
        ["query", "-0", "--format", "json"], ["query", "--format", "xml"], ["query", "--until", "03"],
        ["query", "--kind", "made"], ["query", "--kind", ""], ["query", "--type", "dirs"], ["query", "--name", "a/b"],
        ["query", "--name", "[a"], ["query", "--min-size", "10K"], ["query", "--min-size", "2", "--max-size", "1"],
        ["query", "--existing", "--gone"], ["query", "--limit", "0"], ["query", "--sort", "kind"],
        ["query", "--count", "--by", "kind"], ["query", "--by", "kind", "--top", "3"], ["query", "--top", "0"],
        ["query", "--by", "kind", "-0"], ["query", "--count", "--limit", "3"], ["query", "--follow", "--until", "1h"],
        ["query", "--follow", "--count"], ["query", "--follow", "--gone"], ["query", "--color", "blue"],
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

    @Test func queryFlagsBecomeASelection() throws {
        let command = try Query.parse([
            "--since", "seq:7", "--until", "2026-11-23T03:00Z", "--kind", "created,deleted", "--kind", "moved",
            "--type", "file", "--min-size", "1KiB", "--gone", "--history", "--name", "*.sql",
        ])
        let selection = try command.what.selection(now: .now, zone: .utc)
        #expect(selection.since == .sequence(7))
        #expect(selection.until == .moment(Timestamp(seconds: 1_795_402_800, nanoseconds: 0)))
        #expect(selection.kinds == [.created, .deleted, .moved])
        #expect(selection.types == [.file])
        #expect(selection.sizes == 1_024...Int64.max)
        #expect(selection.presence == .gone)
        #expect(selection.isEveryChange)
        #expect(selection.name?.matches(Array("a.sql".utf8)) == true)
    }

    @Test(arguments: [
        ["--top", "3", "--by", "dir"], ["-0", "--format", "paths"], ["--limit", "3", "--sort", "size"],
        ["--follow", "--limit", "3", "--since", "1h"], ["--count", "--format", "json"],
    ])
    func flagsThatGoTogether(arguments: [String]) throws { _ = try Query.parse(arguments) }

    @Test func `the version says commit, date, compiler and schema where they are known`() {
        let released = BuildDescription.text(commit: "0123456789ab", date: "2026-12-01", swift: "6.3.1")
        #expect(released.contains(" (commit 0123456789ab of 2026-12-01, Swift 6.3.1, store schema "))
        #expect(BuildDescription.text(commit: "", date: "", swift: "").contains("(a developer's build, store schema "))
    }
}
