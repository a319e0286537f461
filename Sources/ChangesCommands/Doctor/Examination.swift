import ChangeStore
import Glibc
import LinuxKernel
import SystemPackage
import Tracking

/// Gathers what the checks judge. Changes nothing, and waits for nothing longer than some seconds, but for a disk or
/// file server that hangs.
struct Examination {
    /// nil: the standard file, which need not exist.
    var configurationFile: [UInt8]?
    /// nil: what the configuration says.
    var stateDirectory: [UInt8]?

    func facts() -> DoctorFacts {
        let source = ConfigurationSource(file: configurationFile)
        let (configurationFacts, loaded) = Self.load(source)
        var configuration = loaded
        if let stateDirectory { configuration.store.directory = stateDirectory }
        let mounts = Self.mounts()

        let roots = RootExamination(configuration: configuration, file: source.file, mounts: mounts).facts()
        let log = logFacts(configuration, mounts)
        let unit = unitFacts(configuration, source.file, roots, log)
        var store = storeFacts(configuration, mounts)
        let directories = count(configuration, roots, store, mounts)
        store.count = directories
        let user = userFacts(unit)
        return DoctorFacts(
            configuration: configurationFacts, user: user,
            kernel: kernelFacts(directories, pollInterval: configuration.watch.pollInterval), roots: roots, log: log,
            store: store, selfMounts: selfMountFacts(mounts),
            clock: ClockFacts(now: .now, isSynchronized: ClockState.isSynchronized), unit: unit,
            watchers: Self.watchers(),
            offsite: OffsiteExamination(configuration: configuration, mounts: mounts, user: user).facts())
    }

    private static func mounts() -> MountTable {
        guard let file = try? MountTable.open(), let table = try? MountTable.read(file.number) else {
            return MountTable([])
        }
        return table
    }

    /// The configuration; the defaults where it is bad.
    private static func load(_ source: ConfigurationSource) -> (ConfigurationFacts, Configuration) {
        var facts = ConfigurationFacts(file: source.file)
        do throws(ConfigurationError) {
            let configuration = try source.loadFile()
            facts.exists = configuration != nil
            return (facts, configuration ?? .defaults)
        } catch {
            facts.problems = error.problems.map(\.description)
            return (facts, .defaults)
        }
    }

    private func userFacts(_ unit: UnitFacts) -> UserFacts {
        // CAP_DAC_OVERRIDE is bit 1, CAP_DAC_READ_SEARCH bit 2 (linux/capability.h).
        let isRoot = ProcessContext.user == 0
        var hasService = false
        if case .properties(let properties) = unit.source {
            hasService = UnitProperties(properties)["LoadState"] == "loaded"
        }
        return UserFacts(
            isRoot: isRoot, readsEverything: ProcessContext.capabilities.map { $0 & 0b110 != 0 } ?? isRoot,
            hasService: hasService)
    }

    private static func watchers() -> [OldWatcher] {
        ProcessList.identifiers.sorted().compactMap { process in
            guard let name = ProcessList.name(of: process), OldWatcher.names.contains(name) else { return nil }
            return OldWatcher(
                process: process, name: name, arguments: ProcessList.arguments(of: process),
                controlGroups: ProcessList.controlGroups(of: process))
        }
    }

    private func selfMountFacts(_ mounts: MountTable) -> SelfMountFacts {
        SelfMountFacts(
            kernel: .current, mounts: mounts, addresses: NetworkAddress.ofThisHost,
            hostName: KernelSetting.line(of: "/proc/sys/kernel/hostname") ?? [],
            parameter: KernelSetting.line(of: "/sys/module/nfs/parameters/localio_enabled")?.first)
    }
}

// MARK: - Kernel

extension Examination {
    private func kernelFacts(_ directories: DirectoryCount?, pollInterval: Duration) -> KernelFacts {
        var facts = KernelFacts(
            version: .current, maxWatches: WatchLimit.current,
            namespaceWatches: KernelSetting.integer("user/max_inotify_watches"),
            maxInstances: KernelSetting.integer("fs/inotify/max_user_instances"),
            maxQueuedEvents: KernelSetting.integer("fs/inotify/max_queued_events"),
            watchesOfOthers: Self.watchesOfOthers(), directories: directories,
            pollInterval: DurationText.format(pollInterval))
        do throws(Errno) { _ = try Inotify() } catch { facts.instanceFailure = error }
        return facts
    }

    /// Watches of this user's processes but the tracker's, which are those that the directories are counted for.
    private static func watchesOfOthers() -> Int {
        let end = MonotonicTime.now.advanced(milliseconds: 2_000)
        let tracker = Array("changes".utf8)
        var total = 0
        for process in ProcessList.identifiers where ProcessList.owner(of: process) == ProcessContext.user {
            if MonotonicTime.now > end { break }
            if ProcessList.name(of: process) != tracker { total += ProcessList.watches(of: process) }
        }
        return total
    }

    private func count(
        _ configuration: Configuration, _ roots: RootFacts, _ store: StoreFacts, _ mounts: MountTable
    ) -> DirectoryCount? {
        if case .overview(let overview) = store.contents, overview.directories > 0 {
            return DirectoryCount(directories: overview.directories, isFromIndex: true)
        }
        let own = roots.roots.filter { !$0.isForeign && $0.failure == nil }
        if own.isEmpty { return nil }
        let excludes = configuration.watch.exclude.compactMap { try? ExcludePattern($0) }
        var walk = DirectoryWalk(
            exclude: ExcludeList(excludes), mounts: mounts, oneFileSystem: configuration.watch.oneFileSystem)
        for root in own { walk.count(root.path) }
        return walk.count
    }
}

// MARK: - Log, store, unit

extension Examination {
    private func logFacts(_ configuration: Configuration, _ mounts: MountTable) -> LogFacts {
        let path = configuration.log.path
        let directory = PlaceFacts(Self.parent(of: path), mounts)
        var kind = LogFacts.Kind.missing
        do throws(Errno) {
            let status = try withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }
            kind =
                switch status.type {
                case .file: .file
                case .symlink: .symlink
                default: .other
                }
        } catch {
            if error != .noSuchFileOrDirectory && error != .notDirectory { kind = .unknown(error) }
        }
        var required: LogFacts.RequiredMount?
        if let mount = configuration.log.requireMount {
            var facts = LogFacts.RequiredMount(path: mount)
            do throws(Errno) {
                facts.isMounted = try OwnedDescriptor.openMountRoot(mount) != nil
            } catch {
                if error == .noSuchFileOrDirectory { facts.isMounted = false } else { facts.failure = error }
            }
            required = facts
        }
        return LogFacts(
            path: path, kind: kind, refusal: kind == .file ? FileSystemLook.refusalToWrite(path) : nil,
            directory: directory, requiredMount: required, resolved: FileSystemLook.withResolvedParent(path))
    }

    private func storeFacts(_ configuration: Configuration, _ mounts: MountTable) -> StoreFacts {
        let directory = PlaceFacts(configuration.store.directory, mounts)
        var above = directory
        while above.kind == .missing, above.path.count > 1 { above = PlaceFacts(Self.parent(of: above.path), mounts) }
        return StoreFacts(
            directory: directory, above: above, contents: contents(of: directory),
            maxSize: configuration.store.maxSize)
    }

    private func contents(of directory: PlaceFacts) -> StoreFacts.Contents {
        switch directory.kind {
        case .missing, .other: return .none
        case .unknown: return .hidden
        case .directory: break
        }
        do throws(Errno) {
            _ = try OwnedDescriptor.open(StoreFiles(directory: directory.path).database, flags: O_RDONLY)
        } catch {
            return error == .noSuchFileOrDirectory ? .none : .hidden
        }
        do throws(StoreError) {
            return .overview(try StoreOverview(stateDirectory: directory.path))
        } catch {
            return error.reason == .notFound ? .none : .failure(error)
        }
    }

    private func unitFacts(
        _ configuration: Configuration, _ file: [UInt8], _ roots: RootFacts, _ log: LogFacts
    ) -> UnitFacts {
        var facts = UnitFacts(
            source: SystemctlShow.source(), configurationFile: file, hasFlags: stateDirectory != nil,
            roots: roots.roots.map(\.path), logDirectory: Self.parent(of: log.resolved),
            stateDirectory: FileSystemLook.withResolvedParent(configuration.store.directory))
        if case .properties(let properties) = facts.source,
            let program = UnitFacts.arguments(of: UnitProperties(properties).bytes("ExecStart")).first
        {
            facts.hasProgram = FileSystemLook.exists(program)
        }
        return facts
    }

    private static func parent(of path: [UInt8]) -> [UInt8] {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash])
    }
}

extension PlaceFacts {
    /// Looks at a directory, through symlinks.
    init(_ path: [UInt8], _ mounts: MountTable) {
        self.init(path: path, kind: .directory)
        do throws(Errno) {
            let opened = try OwnedDescriptor.open(path, flags: O_PATH | O_DIRECTORY)
            let top = try OwnedDescriptor.open([UInt8(ascii: "/")], flags: O_PATH | O_DIRECTORY)
            isOnRootFileSystem =
                try FileStatus.of(descriptor: opened.number).device == FileStatus.of(descriptor: top.number).device
        } catch {
            switch error {
            case .noSuchFileOrDirectory: kind = .missing
            case .notDirectory: kind = .other
            default: kind = .unknown(error)
            }
            return
        }
        refusal = FileSystemLook.refusalToWrite(path)
        mount = mounts.entry(covering: (try? FileSystemLook.resolved(path)) ?? path)
        space = try? FileSystemSpace(at: path)
    }
}
