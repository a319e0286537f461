import LinuxKernel
import SystemPackage

/// Asks systemd for the unit's properties.
enum SystemctlShow {
    private static let mostMilliseconds: Int64 = 4_000

    static func source(_ unit: String = UnitFacts.name) -> UnitFacts.Source {
        // sd_booted(3) goes by the same directory.
        guard FileSystemLook.exists(Array("/run/systemd/system".utf8)) else { return .noSystemd }
        let wanted = "--property=" + UnitFacts.properties.joined(separator: ",")
        do throws(Errno) {
            return try run(["systemctl", "show", unit, wanted].map { Array($0.utf8) })
        } catch {
            return .unavailable("\(error)")
        }
    }

    private static func run(_ command: [[UInt8]]) throws(Errno) -> UnitFacts.Source {
        let pipe = try Pipe()
        let reader = pipe.reader
        var child = try ChildProcess.spawn(command, output: .descriptor(pipe.writer.number), error: .nothing)
        // The end comes when the child's is the last.
        pipe.writer.close()
        let poll = try EventPoll()
        try poll.add(reader.number, for: .readable, tag: 0)
        let end = MonotonicTime.now.advanced(milliseconds: mostMilliseconds)
        var text: [UInt8] = []
        while true {
            let left = (end - MonotonicTime.now) / 1_000_000
            // The child is killed with its owner.
            guard left > 0, try !poll.wait(milliseconds: Int32(left)).isEmpty else { return .unavailable("no answer") }
            let chunk = try reader.read(atMost: 65_536)
            if chunk.isEmpty { break }
            text += chunk
        }
        let outcome = try child.wait()
        return outcome == .exited(0) ? .properties(UnitFacts.parse(text)) : .unavailable("\(outcome)")
    }
}
