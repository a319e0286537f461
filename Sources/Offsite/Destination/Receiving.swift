/// Where a run that receives puts what comes: the only place that rsync can write to.
struct Receiving {
    /// A directory of this host, absolute, reached through no symlink.
    var place: [UInt8]
    /// For a local target: what is read, the only thing that rsync sees.
    var origin: [UInt8]?
    /// It gives files their owners.
    var keepsOwners = false
}
