import LinuxKernel
import SystemPackage

/// Reads a copy: lists it, and brings parts of it back. It needs the destination's settings and the key, and nothing else:
/// no state directory, no store, no marker.
public final class CopyReader {
    let link: DestinationLink
    let place: CopyPlace
    private let scratch: [UInt8]

    /// - Parameters:
    ///   - from: another path of the destination's host than the target, absolute; nil: the target.
    ///   - stateDirectory: where the known hosts are when the settings name no file; it need not exist.
    /// - Throws: `SyncFailure`.
    public init(
        _ destination: DestinationSettings, from: [UInt8]? = nil, stateDirectory: [UInt8], stop: any StopSignal
    ) throws(SyncFailure) {
        place = try CopyPlace(destination.target, from: from)
        var settings = destination
        if case .ssh = settings.target {
            settings.ssh.knownHosts = HostKeys.file(of: destination, stateDirectory: stateDirectory)
        }
        do throws(Errno) {
            scratch = try FileSystemLook.makeTemporaryDirectory(prefix: Array("nfs-changes-read".utf8))
        } catch {
            throw .system("making a temporary directory", error)
        }
        do throws(SyncFailure) {
            link = try DestinationLink(settings, stateDirectory: scratch, process: ProgramRun(stop: stop))
        } catch {
            try? FileSystemLook.removeTree(scratch)
            throw error
        }
    }

    deinit { try? FileSystemLook.removeTree(scratch) }

    /// The place that is read, for people.
    public var text: String { place.text }

    /// Looks at one path.
    ///
    /// - Parameter path: relative to the copy; not empty.
    /// - Throws: `SyncFailure`: `notInCopy` when it is not there.
    public func entry(_ path: [UInt8]) throws(SyncFailure) -> CopyEntry {
        let parent = BatchPlan.parent(of: path)
        var found: CopyEntry?
        try run(path, place.entry(path), isRecursive: false, below: parent.isEmpty ? [] : parent + [UInt8(ascii: "/")])
        {
            found = $0
        }
        guard let found, found.path == path else { throw notThere(path) }
        return found
    }

    /// Lists a directory, or a single path that is none, without what is the NAS's or this program's own.
    ///
    /// - Parameters:
    ///   - path: relative to the copy; empty: all of it.
    ///   - visit: gets each entry as it comes.
    /// - Throws: `SyncFailure`: `notInCopy` when it is not there.
    public func list(
        _ path: [UInt8], isRecursive: Bool, _ visit: (CopyEntry) -> Void
    ) throws(SyncFailure) {
        if !path.isEmpty {
            try refuseReserved(path)
            let entry = try entry(path)
            guard entry.kind == .directory else { return visit(entry) }
        }
        let parent = path.isEmpty ? [] : path + [UInt8(ascii: "/")]
        try run(path, place.entry(path, contents: true), isRecursive: isRecursive, below: parent) { entry in
            if !SourceScope.isReserved(entry.path) { visit(entry) }
        }
    }

    func refuseReserved(_ path: [UInt8]) throws(SyncFailure) {
        if SourceScope.isReserved(path) { throw .reservedPath(path) }
    }

    private func run(
        _ path: [UInt8], _ listed: [UInt8], isRecursive: Bool, below parent: [UInt8], _ visit: (CopyEntry) -> Void
    ) throws(SyncFailure) {
        var options = ["--dry-run", "--links", "--devices", "--specials", "--no-relative"]
        options += ["--out-format=" + CopyEntry.format] + DestinationLink.exclusions
        if isRecursive { options.append("--recursive") }
        if place.local == nil { options += link.readingAttributes }
        if let local = place.local, !FileSystemLook.exists(local) { throw notThere([]) }
        let empty = try link.emptyDirectory()
        let outcome = try link.lines(
            options, list: [listed], [place.side, empty + [UInt8(ascii: "/")]], source: nil,
            receiving: Receiving(place: empty, origin: place.local)
        ) { line in
            if let entry = CopyEntry(parsing: line, below: parent) { visit(entry) }
        }
        try check(outcome, path, "listing \(place.text)")
    }

    func check(_ outcome: DestinationLink.Outcome, _ path: [UInt8], _ step: String) throws(SyncFailure) {
        let text = String(decoding: outcome.errors, as: UTF8.self)
        let isMissing = text.contains("No such file or directory") || text.contains("Not a directory")
        if isMissing, [.partial, .misplaced].contains(outcome.verdict) { throw notThere(path) }
        if outcome.verdict == .partial {
            throw .rsync(.stop, status: outcome.status, step: step, errors: DestinationLink.display(outcome.errors))
        }
        try link.check(outcome, step)
    }

    func notThere(_ path: [UInt8]) -> SyncFailure {
        .notInCopy(path: path, place: place.text, name: link.settings.name)
    }
}
