import Glibc
import LinuxKernel
import Logging
import Synchronization
import Testing

@testable import SystemdSupport

/// Keeps what a handler put out.
private final class Output<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    func append(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}

/// Whether this process has CAP_SYS_ADMIN, number 21 (capabilities(7)).
private func mayMount() -> Bool {
    guard let file = try? OwnedDescriptor.open(Array("/proc/self/status".utf8), flags: O_RDONLY),
        let bytes = try? file.readToEnd()
    else { return false }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let effective = lines.first { $0.hasPrefix("CapEff:") }?.split(separator: "\t").last.flatMap {
        UInt64($0, radix: 16)
    }
    return (effective ?? 0) >> 21 & 1 == 1
}

private func event(
    _ message: Logger.Message, _ level: Logger.Level = .info, _ metadata: Logger.Metadata? = nil,
    error: (any Error)? = nil
) -> LogEvent {
    LogEvent(
        level: level, message: message, error: error, metadata: metadata, source: nil, file: "Track/Track.swift",
        function: "start()", line: 7)
}

@Suite struct LogTextTests {
    @Test func metadataFollowsTheMessageInOrder() {
        let line = LogText.line("held", [("count", "3"), ("root", "/srv/a b"), ("why", ""), ("said", #"a="b""#)])
        #expect(line == #"held count=3 root="/srv/a b" why="" said="a=\"b\"""#)
    }

    @Test func controlsAreEscapedAndTextIsNot() {
        #expect(LogText.escapingControls("a\nb\r\u{1B}[0m\u{7F}\u{9B}ü漢") == #"a\012b\015\033[0m\177\302\233ü漢"#)
    }

    @Test func laterMetadataWins() {
        let provider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
        let merged = mergedMetadata(
            ["a": "own", "b": "own", "c": "own"], provider,
            event("x", .info, ["c": "event"], error: CancellationError()))
        #expect(merged.map(\.key) == ["a", "b", "c", "error"])
        #expect(merged.map(\.value) == ["own", "provider", "event", "CancellationError()"])
    }
}

@Suite struct StandardErrorLogHandlerTests {
    @Test func oneWriteOneLine() {
        let output = Output<[UInt8]>()
        var handler = StandardErrorLogHandler(level: .info) { output.append($0) }
        handler[metadataKey: "root"] = "/srv/nfs/a-backup"
        handler.log(event: event("root is held\nerror: forged", .warning, ["errno": "5"]))
        #expect(
            output.all.map { String(decoding: $0, as: UTF8.self) }
                == [#"warning: root is held\012error: forged errno=5 root=/srv/nfs/a-backup"# + "\n"])
    }

    @Test func metadataAndLevelAreValues() {
        var first = Logger(label: "test") { _ in StandardErrorLogHandler() }
        first.logLevel = .debug
        first[metadataKey: "only-on"] = "first"
        var second = first
        second.logLevel = .error
        second[metadataKey: "only-on"] = "second"
        #expect(first.logLevel == .debug && first[metadataKey: "only-on"] == "first")
        #expect(second.logLevel == .error && second[metadataKey: "only-on"] == "second")
    }
}

@Suite struct JournalLogHandlerTests {
    @Test(arguments: [
        ("root", "ROOT"), ("errno", "ERRNO"), ("store-uuid", "STORE_UUID"), ("a.b c", "A_B_C"),
        ("message", "CHANGES_MESSAGE"), ("Priority", "CHANGES_PRIORITY"), ("_pid", "CHANGES__PID"),
        ("9lives", "CHANGES_9LIVES"), ("", "CHANGES_"), ("é", "CHANGES___"),
        (String(repeating: "k", count: 80), String(repeating: "K", count: 64)),
    ])
    func fieldNames(key: String, name: String) { #expect(JournalEntry.fieldName(for: key) == name) }

    @Test func priorities() {
        #expect(Logger.Level.allCases.map(JournalEntry.priority) == [7, 7, 6, 5, 4, 3, 2])
    }

    @Test func fieldsKeepValuesAsTheyAre() {
        let output = Output<[[UInt8]]>()
        let handler = JournalLogHandler(
            identifier: "changes", level: .info,
            send: {
                output.append($0)
                return true
            }, otherwise: StandardErrorLogHandler())
        handler.log(event: event("lost watch", .error, ["path": "/srv/a\nPRIORITY=0"]))
        #expect(
            output.all.first?.map { String(decoding: $0, as: UTF8.self) } == [
                #"MESSAGE=lost watch path="/srv/a\012PRIORITY=0""#, "PRIORITY=3", "SYSLOG_IDENTIFIER=changes",
                "CODE_FILE=Track/Track.swift", "CODE_LINE=7", "CODE_FUNC=start()", "PATH=/srv/a\nPRIORITY=0",
            ])
    }

    @Test func whatTheJournalRefusesGoesToStandardError() {
        let output = Output<[UInt8]>()
        var handler = JournalLogHandler(
            identifier: "changes", level: .info, send: { _ in false },
            otherwise: StandardErrorLogHandler(level: .info) { output.append($0) })
        handler[metadataKey: "root"] = "/r"
        handler.log(event: event("held", .notice))
        #expect(output.all == [Array("notice: held root=/r\n".utf8)])
    }

    /// libsystemd's path to journald is fixed, so the test binds it on a tmpfs over /run in a mount namespace of one
    /// thread of a process of its own; needs the privilege for that.
    @Test(.enabled(if: mayMount())) func speaksToJournald() async {
        await #expect(processExitsWith: .success) {
            try #require(unshare(CLONE_NEWNS) == 0)
            try #require(mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0)
            try #require(mount("tmpfs", "/run", "tmpfs", 0, nil) == 0)
            mkdir("/run/systemd", 0o755)
            mkdir("/run/systemd/journal", 0o755)
            let journald = try DatagramSocket(path: "/run/systemd/journal/socket")
            JournalLogHandler().log(event: event("héllo", .critical, ["path": "a\nb"]))
            let entry = String(decoding: try #require(journald.next()), as: UTF8.self)
            // The native protocol: NAME=value lines, and for values with a newline NAME, newline, the length in 64 bits
            // little-endian, the value, newline.
            let path = #"MESSAGE=héllo path="# + #"a\012b"# + "\n"
            #expect(entry.contains(path) && entry.contains("PRIORITY=2\n"))
            #expect(entry.contains("SYSLOG_IDENTIFIER=changes\n") && entry.contains("CODE_LINE=7\n"))
            #expect(entry.contains("PATH\n\u{3}\0\0\0\0\0\0\0a\nb\n"))
            #expect(journald.next() == nil)
        }
    }
}

@Suite struct LogDestinationTests {
    @Test(arguments: ["", ":", "1", "1:", ":2", "1:2:3", "x:2", "1:-2", " 1:2"])
    func malformedJournalStreams(value: String) { #expect(JournalStream(value) == nil) }

    @Test func followsStandardError() async {
        await #expect(processExitsWith: .success) {
            unsetenv("JOURNAL_STREAM")
            #expect(makeLogHandler() is StandardErrorLogHandler)
            var pair: [CInt] = [0, 0]
            try #require(pipe(&pair) == 0)
            let before = dup(2)
            dup2(pair[1], 2)
            var status = stat()
            fstat(2, &status)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
            #expect(makeLogHandler(level: .debug) is JournalLogHandler)
            #expect(makeLogHandler(level: .debug).logLevel == .debug)
            // Redirected since: the variable is still there, standard error is another file.
            dup2(before, 2)
            #expect(makeLogHandler() is StandardErrorLogHandler)
        }
    }
}
