import CLinux
import Glibc
import LinuxKernel
import Testing

/// A new directory under /tmp, removed with the sockets and directories in it when the owner goes.
final class Scratch {
    let path: String
    var bytes: [UInt8] { Array(path.utf8) }

    init() throws {
        var template = Array("/tmp/nfs-changes-test.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try #require(chmod(path, 0o755) == 0)
    }

    deinit {
        _ = nftw(path, { name, _, _, _ in remove(name) }, 16, CInt(FTW_DEPTH | FTW_PHYS))
    }
}

/// Calls `body`, bind(2) or connect(2), with the address of a socket.
func withAddress(_ path: String, _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
        body(.init(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
}

/// Waits until `condition` holds; false when it does not within ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicTime.now.advanced(milliseconds: 10_000)
    while !condition() {
        if MonotonicTime.now > deadline { return false }
        usleep(1_000)
    }
    return true
}

/// SplitMix64, for tests that can be replayed from their seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}
