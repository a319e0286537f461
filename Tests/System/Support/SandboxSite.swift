import Glibc
import LinuxKernel
import Offsite
import SystemPackage

/// A source, a destination and something that is nobody's business, for an rsync in a sandbox.
final class SandboxSite {
    let scratch: Scratch
    let source: Path
    let copy: Path
    let outside: Path

    init() throws {
        scratch = try Scratch()
        source = scratch.path / "source"
        copy = scratch.path / "copy"
        outside = scratch.path / "outside"
        for directory in [source, copy, outside] { try Disk.makeDirectory(directory) }
    }

    /// A program in the place of ssh, or of rsync.
    func script(_ name: String, _ text: String) throws -> Path {
        let path = scratch.path / Path(name)
        try Disk.write(path, Array("#!/bin/sh\n\(text)\n".utf8))
        try Disk.changeMode(path, 0o755)
        return path
    }

    /// Starts an rsync, or another program, in a sandbox with this source.
    ///
    /// - Parameter list: what it gets on standard input.
    func start(
        _ arguments: [String], list: String = "", readOnly: [Path] = [], writable: [Path] = [],
        to destination: SenderSandbox.Destination
    ) throws -> SandboxRun {
        let sandbox = try SenderSandbox(
            arguments.map { Array($0.utf8) }, source: source.bytes, readOnly: readOnly.map(\.bytes),
            writable: writable.map(\.bytes), to: destination, executable: Array(Tracker.binary.utf8))
        return try SandboxRun(sandbox, list: list, in: scratch.path)
    }

    /// What a local copy by list is started with.
    func copying(_ options: String...) -> [String] {
        ["rsync", "-a", "--from0", "--files-from=-"] + options + [source.string + "/", copy.string + "/"]
    }
}

/// Processes in and beside a sandbox, with their output.
final class SandboxRun {
    private var running: SenderSandbox.Running
    private let outputs: Scratch

    init(_ sandbox: consuming SenderSandbox, list: String, in directory: Path) throws {
        outputs = try Scratch()
        try Disk.write(outputs.path / "input", Array(list.utf8))
        let input = try OwnedDescriptor.open((outputs.path / "input").bytes, flags: O_RDONLY)
        let append = O_WRONLY | O_CREAT | O_APPEND
        let output = try OwnedDescriptor.open((outputs.path / "output").bytes, flags: append)
        let errors = try OwnedDescriptor.open((outputs.path / "errors").bytes, flags: append)
        running = try sandbox.spawn(
            input: .descriptor(input.number), output: .descriptor(output.number), error: .descriptor(errors.number))
    }

    var process: pid_t { running.rsync.identifier }
    var shell: pid_t? { running.shell?.identifier }
    func signal(_ number: Int32) throws { try running.rsync.signal(number) }

    var output: String { String(decoding: (try? Disk.read(outputs.path / "output")) ?? [], as: UTF8.self) }
    var errors: String { String(decoding: (try? Disk.read(outputs.path / "errors")) ?? [], as: UTF8.self) }

    /// What sender-shell ended with.
    private(set) var shellStatus: Int32?

    private static func number(_ outcome: LinuxKernel.ChildProcess.Outcome?) -> Int32? {
        switch outcome {
        case .exited(let code)?: code
        case .signalled(let signal)?: 128 + signal
        case nil: nil
        }
    }

    /// Waits for the end of everything.
    ///
    /// - Returns: rsync's exit status, 128 and its number for a signal; nil when something is still there.
    func finish(atMost seconds: Double = 30) throws -> Int32? {
        var status: Int32?
        let isOver = try wait(atMost: seconds, every: 1) {
            if status == nil {
                status = Self.number(try running.rsync.poll())
                if status == nil { return false }
            }
            guard running.shell != nil else { return true }
            shellStatus = Self.number(try running.shell!.poll())
            return shellStatus != nil
        }
        return isOver ? status : nil
    }
}
