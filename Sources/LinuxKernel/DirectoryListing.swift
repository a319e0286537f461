import CLinux
import Glibc
public import SystemPackage

/// Reads directories through one buffer that serves a whole walk.
public struct DirectoryLister: ~Copyable {
    /// 64 KiB: about 2,000 entries a call; larger brought nothing in measurements of walks.
    private static let bufferSize = 65_536
    private let buffer: UnsafeMutableRawBufferPointer

    public init() { buffer = .allocate(byteCount: Self.bufferSize, alignment: 8) }
    deinit { buffer.deallocate() }

    /// Calls `body` for each entry of the open directory but `.` and `..`, in the file system's order.
    ///
    /// `body` gets the NUL-terminated name, its length in bytes, the inode number of the entry, and whether the
    /// file system says that it is a directory (`DT_DIR`; nil for `DT_UNKNOWN`). The name lives only during the call.
    ///
    /// - Throws: the errno of getdents64(2). What was handed out before is then not the whole directory.
    public func list(
        _ directory: CInt, _ body: (UnsafePointer<CChar>, Int, UInt64, Bool?) -> Void
    ) throws(Errno) {
        while true {
            let filled = try systemCall { clinux_getdents64(directory, buffer.baseAddress, buffer.count) }
            if filled == 0 { return }
            var offset = 0
            // struct linux_dirent64 (getdents64(2)): d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
            while offset + 19 <= filled {
                let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
                let inode = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let type = buffer.loadUnaligned(fromByteOffset: offset + 18, as: UInt8.self)
                let name = UnsafeRawPointer(buffer.baseAddress! + offset + 19).assumingMemoryBound(to: CChar.self)
                let nameLength = strnlen(name, length - 19)
                offset += length
                if name[0] == 0x2E && (nameLength == 1 || (nameLength == 2 && name[1] == 0x2E)) { continue }
                body(name, nameLength, inode, type == 0 ? nil : type == 4)
            }
        }
    }
}
