import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// Puts `contents` in the place of an entry of this open directory, as `replaceFile` does, with everything that was
    /// written to its file system before on the disk first (syncfs(2)).
    ///
    /// Neither a symlink nor anything else that stands under one of the names is written to: the new file is one that
    /// this call made.
    ///
    /// - Parameter name: without a slash; the temporary file has `.new` added.
    /// - Throws: the errno of the call that failed; the old file is then untouched.
    public borrowing func replaceEntry(
        _ name: [UInt8], with contents: [UInt8], permissions: mode_t
    ) throws(Errno) {
        let temporary = name + Array(".new".utf8)
        do throws(Errno) {
            try withCPath(temporary) { (name) throws(Errno) in _ = try systemCall { unlinkat(number, name, 0) } }
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        let file = try OwnedDescriptor.open(
            temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: permissions, at: number)
        var failure: Errno?
        contents.withUnsafeBytes { failure = file.write($0).error }
        if let failure { throw failure }
        try systemCall { syncfs(file.number) }
        try withCPath(temporary) { (from) throws(Errno) in
            try withCPath(name) { (to) throws(Errno) in _ = try systemCall { renameat(number, from, number, to) } }
        }
        try synchronize()
    }
}
