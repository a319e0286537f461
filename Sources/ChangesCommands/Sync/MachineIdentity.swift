import Glibc
import LinuxKernel

/// Which installation of an operating system this is (machine-id(5)).
enum MachineIdentity {
    private static let file = Array("/etc/machine-id".utf8)

    /// The 32 hexadecimal digits of /etc/machine-id; the host's name where there are none.
    static var own: String {
        let bytes = try? OwnedDescriptor.open(file, flags: O_RDONLY).read(atMost: 64)
        let text = String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        if text.utf8.count == 32 { return text }
        return "host-" + ProcessContext.hostName
    }
}
