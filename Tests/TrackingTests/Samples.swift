import ChangeStore
import Glibc
import LinuxKernel

@testable import Tracking

/// SplitMix64: the same seed gives the same test. `TRACKING_SEED` in the environment replays a run.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init() {
        seed = getenv("TRACKING_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...UInt64(UInt32.max))
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func someDirectory(_ inode: UInt64, fileSystem: Int32 = 1, born: Int64 = 7) -> DirectoryIdentity {
    DirectoryIdentity(key: InodeKey(fileSystem: FileSystemID(rawValue: fileSystem), inode: inode), born: born)
}

/// A moment in milliseconds since an arbitrary start.
func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

extension DirectoryTree {
    func add(_ name: String, to parent: NodeID, _ inode: UInt64) -> NodeID {
        bytes(name).withUnsafeBytes { add($0, to: parent, identity: someDirectory(inode)) }
    }

    func move(_ node: NodeID, to name: String, in parent: NodeID) {
        bytes(name).withUnsafeBytes { move(node, to: $0, in: parent) }
    }

    func child(of parent: NodeID, named name: String) -> NodeID? {
        bytes(name).withUnsafeBytes { child(of: parent, named: $0) }
    }

    func nodes(of watch: CInt) -> [NodeID] {
        var all: [NodeID] = []
        forEachNode(of: WatchDescriptor(rawValue: watch)) { all.append($0) }
        return all
    }

    func children(of node: NodeID) -> Set<NodeID> {
        var all: Set<NodeID> = []
        forEachChild(of: node) { all.insert($0) }
        return all
    }
}

extension MarkSet {
    func mark(_ name: String, in node: NodeID, _ hints: Hints, origin: Origin? = nil) {
        bytes(name).withUnsafeBytes { mark($0, in: node, hints, origin: origin) }
    }

    /// The marked names of a directory with their hints, oldest first.
    func names(of node: NodeID) -> [String] {
        indices(of: node).map { withName(of: self[$0]) { String(decoding: $0, as: UTF8.self) } }
    }

    func hints(of name: String, in node: NodeID) -> Hints? { index(of: name, in: node).map { self[$0].hints } }

    func index(of name: String, in node: NodeID) -> Int? {
        indices(of: node).first { withName(of: self[$0]) { String(decoding: $0, as: UTF8.self) } == name }
    }
}
