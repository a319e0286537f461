/// Control groups of a container's own, where no service manager hands them out: two containers in the same one would
/// take each other's services for theirs.
struct ControlGroups {
    /// One in each hierarchy that systemd puts its services into: the unified one, and the one named systemd.
    let directories: [Path]

    /// - Throws: `CallFailed` where none can be made.
    init(name: Path) throws {
        let mounts = try Disk.read("/proc/self/mounts").split(separator: UInt8(ascii: "\n")).map { line in
            line.split(separator: UInt8(ascii: " ")).map { Path($0) }
        }
        let hierarchies = mounts.filter { fields in
            fields.count > 3
                && (fields[2] == "cgroup2" || fields[2] == "cgroup" && fields[3].string.hasSuffix("name=systemd"))
        }
        directories = hierarchies.map { $0[1] / name }
        for directory in directories { try Disk.makeDirectory(directory) }
    }

    /// A command that starts what follows it in them, and becomes it.
    var wrapper: [String] {
        let files = directories.map { "'\(($0 / "cgroup.procs").string)'" }.joined(separator: " ")
        return ["sh", "-c", "for file in \(files); do echo $$ >\"$file\" || exit 1; done; exec \"$@\"", "sh"]
    }

    /// Removes them, with those that the container made in them; its last processes may take a moment to go.
    func remove() {
        for directory in directories {
            _ = wait(atMost: 5, every: 50) {
                _ = try? run(["find", directory.string, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
                return !Disk.exists(directory)
            }
        }
    }
}
