import Glibc
import LinuxKernel

/// A `changes query --follow` of a site's store, with its output in a file.
final class Follower {
    private let process: ChildProcess
    private let output: Path
    private let errorOutput: Path
    private var read = 0
    private var lines: [UInt8] = []

    init(_ site: Site, _ arguments: [String] = [], format: String = "json") throws {
        let name = "follower-\(UInt64.random(in: .min ... .max))"
        output = site.scratch.path / Path(name)
        errorOutput = output + ".err"
        process = try ChildProcess(
            [
                Tracker.binary, "query", "--follow", "--format", format, "--state",
                site.tracker.settings.state.string,
            ] + arguments, output: (output, errorOutput))
    }

    var pid: pid_t { process.pid }
    var isRunning: Bool { process.isRunning }
    var errors: String { (try? Disk.read(errorOutput)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The rows that have come so far.
    func rows() throws -> [HistoryRow] {
        lines += try Disk.read(output, from: read)
        read = lines.count
        let end = lines.lastIndex(of: UInt8(ascii: "\n")) ?? -1
        return try History.parse(Array(lines[...end]))
    }

    func waits(for path: Path, atMost seconds: Double = 10, every milliseconds: Int = 2) throws -> Bool {
        try wait(atMost: seconds, every: milliseconds) { try rows().contains { $0.path == path } }
    }

    func signal(_ number: Int32) { process.signal(number) }

    func stop() {
        process.signal(SIGKILL)
        _ = process.waitForExit(atMost: 5)
    }

    /// How often it was put on a processor so far (proc(5), status).
    func contextSwitches() throws -> Int {
        let text = String(decoding: try Disk.read("/proc/\(pid)/status"), as: UTF8.self)
        return text.split(separator: "\n").filter { $0.contains("ctxt_switches") }
            .compactMap { Int($0.split(separator: "\t").last ?? "") }.reduce(0, +)
    }
}
