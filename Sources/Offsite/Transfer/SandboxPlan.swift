public import SystemPackage

/// What a sandboxed program finds there, and what it is. `changes sandboxed-sender` takes it as its options.
public struct SandboxPlan: Equatable, Sendable {
    /// The directory that is copied, absolute, without symlinks: read-only, with everything that is mounted below it;
    /// nil for a program that only receives.
    public var source: [UInt8]?
    /// More directories, absolute: read-only.
    public var readOnly: [[UInt8]] = []
    /// More directories, absolute, without symlinks: to be written to.
    public var writable: [[UInt8]] = []
    /// Single files, absolute: read-only.
    public var files: [[UInt8]] = []
    /// The files that finding a host by its name takes, as far as they exist.
    public var hasNameResolution = false
    /// The program also receives: it keeps what giving files their owners, modes and device nodes takes.
    public var isReceiver = false
    /// The number of the inner end of the bridge to ssh; with it goes `relayProgram`.
    public var bridge: CInt?
    /// The number of a descriptor that the program and its children keep open: a lock of theirs. Not with a bridge.
    public var lock: CInt?
    /// The command reads a list of names, which it gets as arguments where they are not too many.
    public var listIsArguments = false
    /// The program, by its name or absolute path, and its arguments.
    public var command: [[UInt8]]

    public init(source: [UInt8]?, command: [[UInt8]]) {
        self.source = source
        self.command = command
    }

    /// Where this program itself is in a sandbox that has a bridge: a path that needs no quotes in rsync's `-e`.
    public static let relayProgram = Array("/changes".utf8)

    /// The plan as the options of `changes sandboxed-sender`.
    var options: [[UInt8]] {
        var options = source.map { [Array("--source".utf8), $0] } ?? []
        for directory in readOnly { options += [Array("--bind".utf8), directory] }
        for directory in writable { options += [Array("--bind-writable".utf8), directory] }
        for file in files { options += [Array("--bind-file".utf8), file] }
        if hasNameResolution { options.append(Array("--name-resolution".utf8)) }
        if isReceiver { options.append(Array("--receiver".utf8)) }
        if let bridge { options += [Array("--bridge".utf8), Array("\(bridge)".utf8)] }
        if let lock { options += [Array("--lock".utf8), Array("\(lock)".utf8)] }
        if listIsArguments { options.append(Array("--list-arguments".utf8)) }
        return options + [Array("--".utf8)] + command
    }
}

/// Why a sandbox could not be made.
public struct SandboxFailure: Error, Equatable, Sendable {
    /// What was being done, such as `bind /srv/nfs`.
    public let step: [UInt8]
    public let code: Errno

    init(_ step: String, _ path: [UInt8] = [], _ code: Errno) {
        self.step = Array(step.utf8) + (path.isEmpty ? [] : [UInt8(ascii: " ")] + path)
        self.code = code
    }
}
