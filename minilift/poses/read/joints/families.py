"""What joints are called, in the skeletons that people have: synonyms of limbs, and families of skeletons.

Facts only; FAMILIES says where they come from. docs/joint-names.md says what each joint of the course is in
each of them, and which are estimated.
"""

_LIMBS = """
hip       upleg upperleg upperleg1 thigh thighbend thighstretch femur hip leg1 leg
knee      lowleg lowerleg lowerleg1 loleg shin shank calf legstretch tibia knee leg2 leg
ankle     ankle foot
shoulder  upperarm upperarm1 uparm uarm shldr shldrbend armstretch humerus arm1 arm shoulder
elbow     forearm forearmbend forearmstretch lowerarm lowerarm1 lowarm loarm farm radius elbow arm2 arm
wrist     wrist hand
"""
"""The joint at which a bone of such a name begins, the best name first.

A name stands for two joints where families differ: LeftLeg is MotionBuilder's knee, and the hip where there
is a LeftShin (SOMA); LeftShoulder is a clavicle where there is a LeftArm, and else the shoulder (Biovision,
SMPL). The tree of joints decides.
"""

LIMBS = {part: tuple(names) for part, *names in map(str.split, _LIMBS.strip("\n").splitlines())}

BONE_ENDS: dict[str, tuple[str, ...]] = {
    "hip": ("hipjoint",), "knee": ("femur",), "ankle": ("tibia",),
    "shoulder": ("clavicle",), "elbow": ("humerus",), "wrist": ("radius",),
}  # fmt: skip
"""The same where a place is the end of its bone, as in .asf files: the femur ends at the knee."""

NEVER = ("shoulder", "arm", "hand")
"""Parts that make no arm, because its forearm has another name: LeftShoulder, LeftArm, LeftFourArm."""

LEGS, ARMS = ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")

_FAMILIES = """
Mixamo                   *mixamorig*hips
MotionBuilder Character1 character[0-9]*_hips
3ds Max Biped            *bip*pelvis *l*thigh
Rigify                   *def-*thigh*l
Rigify                   hips ribs thigh.l upper_arm.l
Auto-Rig Pro             thigh_stretch*l arm_stretch*l
VRM                      j_bip_c_hips
Character Creator        cc_base_*thigh*
Unreal                   pelvis spine_01 upperarm_l calf_l
MakeHuman                *upperleg01*l *lowerarm01*l
CMU by cgspeed           lhipjoint leftupleg lowerback
CMU                      lfemur ltibia lradius
SMPL                     l*_hip l*_collar spine3
MocapNET                 abdomen rcollar rshoulder relbow rknee
Poser and DAZ            lthigh* lshin lshldr*
Rokoko                   leftthigh leftshin leftarm spine4
SOMA                     leftleg leftshin leftarm
Xsens                    chest4 lefthip leftknee
Xsens MVN                l5 l3 t12 t8
Kinect                   spinebase hipleft kneeleft
Azure Kinect             spine_navel hip_left knee_left
OptiTrack Motive         lthigh lshin luarm lfarm
DeepMotion               l_upleg_jnt l_forearm_jnt
Second Life              mhipleft mkneeleft mshoulderleft
Biovision                lefthip leftknee leftankle
Biovision                leftuparm leftlowarm
Unity                    leftupperleg leftlowerleg leftupperarm
Bandai-Namco             upperleg_l lowerleg_l lowerarm_l
LAFAN1                   leftupleg spine2 lefttoe
MotionBuilder            leftupleg spine3 neck1
Noitom Axis Studio       leftupleg spine2 neck1
Perception Neuron        leftupleg spine3
MotionBuilder            leftupleg leftforearm
"""
"""A family a row: its name, and patterns (fnmatch) each of which some joint's name fits, in small letters and
without a namespace. The particular stands before the general. They name a skeleton for people; which joint is
which is found by LIMBS and the tree, so that a skeleton of no family is read as well.

Where the names come from. HumanIK, VRM, Unreal, MakeHuman, SOMA, Xsens MVN, Kinect, OptiTrack, Unity,
DeepMotion and Second Life were not looked up there, and may differ in details.
Mixamo: tests/test_freebvh.bvh of github.com/20tab/bvh-python. Character1, MotionBuilder: Autodesk's HumanIK.
Biped, DAZ, Auto-Rig Pro: core/auto_detect_lists/bones.py of github.com/Rokoko/rokoko-studio-live-blender.
Rigify: rigify/metarigs/human.py of github.com/blender/blender-addons; the first has hips, spine and ribs; in
    the later ones spine to spine.003 are pelvis to chest, spine.004 and .005 the neck, spine.006 the head.
VRM: github.com/vrm-c/vrm-specification.
Character Creator: github.com/soupday/cc_blender_tools.
Unreal: the mannequin of Epic's UE4 and UE5.
MakeHuman: makehuman/data/rigs/default.mhskel of github.com/makehumancommunity/makehuman.
CMU: the .asf files of mocap.cs.cmu.edu; by cgspeed: B. Hahne's BVH files of them, cgspeed.com, in which Neck
    lies where Spine1 is. Poser: the BVH files in github.com/lawrennd/mocap.
SMPL: smpl2bvh.py of github.com/KosukeFukazawa/smpl2bvh, and the smplx package's joint names.
MocapNET: src/MocapNETLib/mocapnet.hpp of github.com/FORTH-ModelBasedTracker/MocapNET.
Rokoko: Assets/Scripts/PMAnimation/BoneType.cs of github.com/DADIU-2019-Team-4/MoMa (Rokoko's Newton).
SOMA: NVIDIA's 30 joints, in which LeftLeg is the hip.
Xsens: Docs/Applications/Mocap/BVH.md of github.com/AnyBody/ammr; MVN: the 23 segments of its user manual.
Kinect: JointType of the Kinect for Windows SDK 2; Azure Kinect: k4abt_joint_id_t of its body tracking SDK.
OptiTrack: the bones of a skeleton in Motive's manual. DeepMotion: the joints of Animate 3D's BVH files.
Second Life: the bones of its Bento skeleton. Unity: HumanBodyBones.
Biovision: louise.bvh of github.com/wspr/bvh-matlab; the other row: Example1.bvh, University of Wisconsin.
Bandai-Namco: github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset.
LAFAN1: github.com/ubisoft/ubisoft-laforge-animation-dataset.
Noitom Axis Studio: the joint tags of Noitom's MocapApi. Perception Neuron: NeuronDataReader's BVH header.
"""

FAMILIES = tuple((row[:25].strip(), tuple(row[25:].split())) for row in _FAMILIES.strip("\n").splitlines())
