import Glibc
import LinuxKernel
import SystemPackage

extension SandboxPlan {
    /// Makes the sandbox and becomes the program in it, in this very process. Call it on the main thread.
    ///
    /// Everything is copied and opened in the private namespace before the new root hides anything, and the copies are
    /// attached to directories that are opened through no symlink: whoever writes to the source can lead none of it astray.
    ///
    /// - Returns: only when it failed.
    public func enter() -> SandboxFailure {
        do throws(SandboxFailure) {
            let name = command.first ?? []
            guard let program = ProcessImage.find(name) else {
                throw SandboxFailure("find", name, .noSuchFileOrDirectory)
            }
            try step("close descriptors") { () throws(Errno) in
                let kept = bridge ?? lock
                try ProcessImage.closeDescriptors(except: kept)
                if let kept { try ProcessImage.keepOnExecution(kept) }
            }
            try step("unshare the mounts") { () throws(Errno) in try MountNamespace.enterPrivate() }
            let list = try listIsArguments ? Self.list() : nil
            try build(for: program)
            try step("drop privileges") { () throws(Errno) in
                try ProcessImage.keepOnly(isReceiver ? Self.receiving : Self.reading)
            }
            let arguments = try list.flatMap { (list) throws(SandboxFailure) in try listed(list) } ?? command
            throw SandboxFailure("execute", program, ProcessImage.replace(with: program, arguments))
        } catch {
            return error
        }
    }

    /// Reads what stands on standard input, which stays where it is for the program.
    private static func list() throws(SandboxFailure) -> [UInt8] {
        try step("read the list") { () throws(Errno) in
            // Opened anew it has an offset of its own (proc_pid_fd(5)).
            try OwnedDescriptor.open(Array("/proc/self/fd/0".utf8), flags: O_RDONLY).readToEnd()
        }
    }

    /// Returns the command with the names of a list as arguments; nil where they are too many.
    private func listed(_ list: [UInt8]) throws(SandboxFailure) -> [[UInt8]]? {
        let limit = try step("raise the stack's limit") { () throws(Errno) in try ProcessImage.raiseArgumentLimit() }
        guard let source, let arguments = ListedArguments.command(command, list: list, limit: limit) else { return nil }
        try step("enter", source) { () throws(Errno) in try ProcessImage.enter(source) }
        return arguments
    }

    private static let reading: [ProcessImage.Capability] = [.readEverything]
    private static let receiving: [ProcessImage.Capability] =
        reading + [.changeOwner, .overridePermissions, .actAsOwner, .keepSetUser, .makeNodes, .setCapabilities]

    private func build(for program: [UInt8]) throws(SandboxFailure) {
        for path in (source.map { [$0] } ?? []) + writable where path.count < 2 {
            throw SandboxFailure("bind", path, .invalidArgument)
        }
        let binds = try SandboxBind.system() + own(program)
        var copies: [SandboxCopy] = []
        // Parents first: what lies in another bound directory is attached there.
        for bind in binds.sorted(by: { $0.place.count < $1.place.count }) {
            if let copy = try SandboxCopy(bind) { copies.append(copy) }
        }
        // Any directory that surely exists. The copies do not see it.
        try step("mount a tmpfs") { () throws(Errno) in
            try MountNamespace.enterTemporary(over: "/usr", options: "size=256k,nr_inodes=1024,mode=755")
        }
        for link in try SandboxBind.links() {
            try step("link", link.place) { () throws(Errno) in
                try makeSymlink(Array(link.place.dropFirst()), to: link.target)
            }
        }
        for copy in copies { try copy.attach() }
        try step("pivot_root") { () throws(Errno) in try MountNamespace.makeWorkingDirectoryRoot() }
        try step("make the root read-only") { () throws(Errno) in try MountNamespace.makeRootReadOnly() }
    }

    /// What this plan adds to what every sandbox has.
    private func own(_ program: [UInt8]) throws(SandboxFailure) -> [SandboxBind] {
        var binds = source.map { [SandboxBind($0, .directory, followsLinks: false)] } ?? []
        binds += readOnly.map { SandboxBind($0, .directory) }
        // Their owner may be somebody else: nothing is written where a symlink leads.
        binds += writable.map { SandboxBind($0, .directory, isWritable: true, followsLinks: false) }
        binds += files.map { SandboxBind($0, .file) }
        if hasNameResolution {
            binds += ["/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/gai.conf"].map {
                SandboxBind(Array($0.utf8), .file, isOptional: true)
            }
        }
        var programs = [program]
        if bridge != nil {
            let own = try step("read /proc/self/exe") { () throws(Errno) in try ProcessContext.program() }
            binds.append(SandboxBind(own, .file, at: Self.relayProgram))
            // A build whose libraries are elsewhere, too.
            programs += try step("read /proc/self/maps") { () throws(Errno) in try ProcessContext.loadedLibraries() }
        }
        for program in programs where !SandboxBind.isSystem(program) { binds.append(SandboxBind(program, .file)) }
        return binds
    }
}

/// Names the step that a system call failed in.
func step<Result: ~Copyable>(
    _ name: String, _ path: [UInt8] = [], _ body: () throws(Errno) -> Result
) throws(SandboxFailure) -> Result {
    do throws(Errno) { return try body() } catch { throw SandboxFailure(name, path, error) }
}
