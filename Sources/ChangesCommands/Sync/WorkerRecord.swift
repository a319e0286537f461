import ChangeStore
import Glibc
import LinuxKernel
import SystemPackage

/// A file beside a consumer's, by which a worker shows that it lives: its time is that of the last sign.
struct WorkerRecord: Equatable {
    var process: Int32
    /// It ends after its run (`--once`): its absence means nothing.
    var endsAfterRun: Bool
    var started: Timestamp
    /// It ended by itself, not by a kill.
    var hasEnded = false
    /// When it last showed that it lives.
    var seen = Timestamp(nanoseconds: 0)

    /// Nanoseconds without a sign after which a worker is not believed to live.
    private static let patience: Int64 = 300_000_000_000

    static func path(_ name: String, in stateDirectory: [UInt8]) -> [UInt8] {
        StoreFiles(directory: stateDirectory).consumers + Array("/\(name).worker".utf8)
    }

    func isAlive(now: Timestamp) -> Bool {
        !hasEnded && now.nanoseconds - seen.nanoseconds < Self.patience && ProcessContext.isAlive(process)
    }

    /// Always of one length: it is written over what stands there, so that no reader sees half of it.
    private var text: String {
        func padded(_ number: Int64, to width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return "process \(padded(Int64(process), to: 10))\nmode \(endsAfterRun ? "once " : "watch")\n"
            + "started \(padded(started.nanoseconds, to: 19))\nstate \(hasEnded ? "ended" : "alive")\n"
    }

    /// Shows that the worker lives, or has ended: the file's time is now.
    ///
    /// It need not outlive a power loss, after which the worker does not live either.
    func write(_ name: String, in stateDirectory: [UInt8]) {
        let path = Self.path(name, in: stateDirectory)
        guard let file = try? OwnedDescriptor.open(path, flags: O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o640) else {
            return
        }
        Array(text.utf8).withUnsafeBytes { _ = file.write($0) }
    }

    init(process: Int32, endsAfterRun: Bool, started: Timestamp) {
        (self.process, self.endsAfterRun, self.started) = (process, endsAfterRun, started)
    }

    /// - Returns: nil where no worker of a version that leaves one has run.
    init?(_ name: String, in stateDirectory: [UInt8]) {
        guard
            let file = try? OwnedDescriptor.open(
                Self.path(name, in: stateDirectory), flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let status = try? FileStatus.of(descriptor: file.number), let bytes = try? file.read(atMost: 4_096)
        else { return nil }
        var values: [Substring: Substring] = [:]
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { values[words[0]] = words[1] }
        }
        guard let process = values["process"].flatMap({ Int32($0) }), let mode = values["mode"],
            let started = values["started"].flatMap({ Int64($0) })
        else { return nil }
        self.init(process: process, endsAfterRun: mode == "once", started: Timestamp(nanoseconds: started))
        hasEnded = values["state"] == "ended"
        seen = status.modified
    }
}
